"""A detector as SavedModel, ONNX, OpenVINO and LiteRT, each compared with it before it is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nasnet_keras.detection.inference.pictures import fitted_image
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.detection.modeling.batch import IMAGES, SIZES
from nasnet_keras.export.detector.writers import (
    DETECTOR_FORMATS,
    CheckedPicture,
    found_in_first,
)
from nasnet_keras.export.detector_check import LIMITS, Comparison
from nasnet_keras.export.output_files import check_formats, check_output, complete_files
from nasnet_keras.export.signatures import check_backend
from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.files.scratch import scratch

_LABELS, _DESCRIPTION = "labels.txt", "detector.json"
_BY_TENSORFLOW = ("saved_model", "litert")


@scratch()
def export_detector(
    served: TrainedDetector,
    output_dir: str | os.PathLike[str],
    formats: Sequence[str],
    check_pictures: Sequence[np.ndarray],
    overwrite: bool = False,
    precision: str = "float32",
) -> dict[str, Comparison]:
    """Writes a detector in formats that other programs load.

    - `saved_model`: the directory `saved_model`, with two signatures. `serving_default` takes
      `images`, float32 `(batch, height, width, 3)` in [0, 255] and of any size, and `image_sizes`,
      float32 `(batch, 2)`, height and width without padding. `serve_bytes` takes `image_bytes`, a
      vector of image files; boxes are in each picture's own pixels, and `names` are added, and
      `status`: empty, or why a file was refused (`served_images.refusal`). Other bad requests fail.
    - `onnx`: `detector.onnx`, one image of the size that the detector was trained for.
    - `openvino`: `detector.xml` and `detector.bin`, the same.
    - `litert`: `detector.tflite`, the same, with LiteRT's built-in operations only.

    All return `boxes` (top, left, bottom, right), `scores`, `labels` and `count`, see
    `select_detections`, and each file says what is in it (`FileDescription`). Beside them,
    `labels.txt` has the classes, one a line, and `detector.json` the size of the images and how
    pictures are resized to it.

    Args:
        served: The detector.
        output_dir: Where to write.
        formats: Names from `DETECTOR_FORMATS`.
        check_pictures: Pictures to compare on, `(height, width, 3)`, uint8.
        overwrite: Whether to replace files that are there.
        precision: In what the two networks compute, `"float32"`, `"float16"` or `"int8"`; boxes are
            in float32 in any case.

    Returns:
        By format, how much its detections differ from the detector's.

    Raises:
        OSError: The directory cannot be written.
        ValueError: A format is unknown, does not have the precision or needs a library that is
            missing or another backend, files would be replaced, there are no pictures, another
            process is writing there, or the detections differ; what differs is not written.
    """
    target = check_export_directory(output_dir, formats, overwrite, precision)
    if not check_pictures:
        raise ValueError("there is no picture to compare on")
    with locked(target):
        checked = [_checked_picture(served, pixels) for pixels in check_pictures]
        result: dict[str, Comparison] = {}
        for name in formats:
            made = DETECTOR_FORMATS[name]
            with complete_files(target, made.files) as temporary:
                made.write(served, precision, temporary)
                comparisons = made.compare(served, precision, temporary, checked)
                for comparison in comparisons:
                    if not comparison.agrees(LIMITS[precision]):
                        raise ValueError(
                            f"{name} in {precision} differs from the detector ({comparison}); "
                            f"{target / made.files[0]} was not written"
                        )
                result[name] = min(comparisons, key=lambda comparison: comparison.least_iou)
        with atomic_write(target / _LABELS) as path:
            path.write_text("".join(f"{name}\n" for name in served.class_names), encoding="utf-8")
        with atomic_write(target / _DESCRIPTION) as path:
            description = {
                "image_size": list(served.image_size),
                "keep_aspect": served.keep_aspect,
                "class_names": list(served.class_names),
                "category_ids": list(served.category_ids),
            }
            path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return result


def check_export_directory(
    output_dir: str | os.PathLike[str],
    formats: Sequence[str],
    overwrite: bool,
    precision: str = "float32",
) -> Path:
    """Raises an error for what cannot be exported, before any work.

    Returns:
        The directory, absolute.

    Raises:
        OSError: The directory cannot be written to, or is a file.
        ValueError: A format is unknown, does not have the precision or needs a library that is
            missing or another backend, or files would be replaced.
    """
    check_formats(formats, precision, DETECTOR_FORMATS)
    for name in formats:
        if name in _BY_TENSORFLOW:
            check_backend(f"{name} is written")
    # These say nothing that the next export does not.
    check_output(output_dir, (_LABELS, _DESCRIPTION), overwrite=True)
    files = (file for name in formats for file in DETECTOR_FORMATS[name].files)
    return check_output(output_dir, files, overwrite)


def _checked_picture(served: TrainedDetector, pixels: np.ndarray) -> CheckedPicture:
    image, size, _ = fitted_image(pixels, served.image_size, served.keep_aspect)
    images, sizes = image[np.newaxis], np.asarray([size], "float32")
    found = served.model({IMAGES: images, SIZES: sizes}, training=False)
    return CheckedPicture(pixels, images, sizes, found_in_first(found))
