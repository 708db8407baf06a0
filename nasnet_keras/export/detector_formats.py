"""A detector as SavedModel, ONNX and LiteRT, each compared with the detector before it is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.detection.inference.pictures import fitted_image
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.detection.modeling.batch import IMAGES, SIZES
from nasnet_keras.export.description import describe_litert, describe_onnx, describe_saved_model
from nasnet_keras.export.detector_check import Comparison, Found, compare_detections
from nasnet_keras.export.detector_description import OUTPUTS, describe_detector
from nasnet_keras.export.detector_graph import detect_encoded, fixed_function, frozen_function
from nasnet_keras.export.detector_onnx import detector_onnx
from nasnet_keras.export.graph.onnx_builder import import_onnx
from nasnet_keras.export.graph.onnx_session import import_onnxruntime, open_onnx
from nasnet_keras.export.signatures import (
    after_checks,
    check_backend,
    check_refusals,
    write_signatures,
)
from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.files.directory_lock import locked
from nasnet_keras.files.scratch import scratch
from nasnet_keras.text.suggestions import unknown_name

# The first convolution has no padding.
_LEAST_SIDE = 3


@dataclass(frozen=True, eq=False)
class _CheckedPicture:
    """A picture, the detector's image of it, and what the detector finds in that."""

    pixels: np.ndarray
    images: np.ndarray
    sizes: np.ndarray
    found: Found


@scratch()
def export_detector(
    served: TrainedDetector,
    output_dir: str | os.PathLike[str],
    formats: Sequence[str],
    check_pictures: Sequence[np.ndarray],
    overwrite: bool = False,
) -> dict[str, Comparison]:
    """Writes a detector in formats that other programs load.

    - `saved_model`: the directory `saved_model`, with two signatures. `serving_default` takes
      `images`, float32 `(batch, height, width, 3)` in [0, 255] and of any size, and `image_sizes`,
      float32 `(batch, 2)`, height and width without padding. `serve_bytes` takes `image_bytes`, a
      vector of image files; boxes are in each picture's own pixels, and `names` are added, and
      `status`: empty, or why a file was refused (`served_images.refusal`). Other bad requests fail.
    - `onnx`: `detector.onnx`, one image of the size that the detector was trained for.
    - `litert`: `detector.tflite`, the same, with LiteRT's built-in operations only.

    All return `boxes` (top, left, bottom, right), `scores`, `labels` and `count`, see
    `select_detections`, and each file says what is in it (`FileDescription`). Beside them,
    `labels.txt` has the classes, one a line, and `detector.json` the size of the images and how
    pictures are resized to it.

    Args:
        served: The detector.
        output_dir: Where to write.
        formats: Names from `FORMATS`.
        check_pictures: Pictures to compare on, `(height, width, 3)`, uint8.
        overwrite: Whether to replace files that are there.

    Returns:
        By format, how much its detections differ from the detector's.

    Raises:
        OSError: The directory cannot be written.
        ValueError: A format is unknown or needs a library that is missing, files would be replaced,
            the backend is not TensorFlow, there are no pictures, another process is writing there,
            or the detections differ; what differs is not written.
    """
    check_backend("detectors are exported")
    if not check_pictures:
        raise ValueError("there is no picture to compare on")
    target = check_export_directory(output_dir, formats, overwrite)
    with locked(target):
        checked = [_checked_picture(served, pixels) for pixels in check_pictures]
        result: dict[str, Comparison] = {}
        fixed = None
        for name in formats:
            file, write, read = _WRITERS[name]
            if name == "litert":
                fixed = fixed or fixed_function(served.model, served.image_size)
            with atomic_write(target / file) as temporary:
                write(served, fixed, temporary)
                comparisons = read(served, temporary, checked)
                for comparison in comparisons:
                    if not comparison.agrees:
                        raise ValueError(
                            f"{name} differs from the detector ({comparison}); "
                            f"{target / file} was not written"
                        )
                result[name] = min(comparisons, key=lambda comparison: comparison.least_iou)
        with atomic_write(target / "labels.txt") as path:
            path.write_text("".join(f"{name}\n" for name in served.class_names), encoding="utf-8")
        with atomic_write(target / "detector.json") as path:
            description = {
                "image_size": list(served.image_size),
                "keep_aspect": served.keep_aspect,
                "class_names": list(served.class_names),
                "category_ids": list(served.category_ids),
            }
            path.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    return result


def check_export_directory(
    output_dir: str | os.PathLike[str], formats: Sequence[str], overwrite: bool
) -> Path:
    """Raises an error for what cannot be exported, before any work.

    Raises:
        OSError: The directory cannot be written to, or is a file.
        ValueError: A format is unknown or needs a library that is missing, or files would be
            replaced.
    """
    if not formats:
        raise ValueError(f"no format given; expected some of: {', '.join(FORMATS)}")
    for name in formats:
        if name not in FORMATS:
            raise ValueError(unknown_name("format", name, FORMATS))
    if "onnx" in formats:
        import_onnx()
        import_onnxruntime()
    target = Path(output_dir).absolute()
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(20, "is a file, not a directory", str(output_dir))
    check_can_write(target / "labels.txt")
    for name in formats:
        path = target / _WRITERS[name][0]
        if path.exists() and not overwrite:
            raise ValueError(f"{path} is there already: choose another directory, or overwrite it")
    return target


def _checked_picture(served: TrainedDetector, pixels: np.ndarray) -> _CheckedPicture:
    image, size, _ = fitted_image(pixels, served.image_size, served.keep_aspect)
    images, sizes = image[np.newaxis], np.asarray([size], "float32")
    found = served.model({IMAGES: images, SIZES: sizes}, training=False)
    return _CheckedPicture(pixels, images, sizes, _first(found))


def _first(found: Any) -> Found:
    return {name: np.asarray(found[name])[0] for name in OUTPUTS if name != "count"}


def _write_saved_model(served: TrainedDetector, fixed: Any, path: Path) -> None:
    import tensorflow as tf

    def serve_images(images: Any, image_sizes: Any) -> dict[str, Any]:
        sides = tf.cast(tf.shape(images)[1:3], tf.float32)
        large, fits = sides >= _LEAST_SIDE, (image_sizes >= 1) & (image_sizes <= sides)
        checks = {
            f"images has fewer than {_LEAST_SIDE} rows or columns": tf.reduce_all(large),
            "image_sizes must be heights and widths from 1 to those of images": tf.reduce_all(fits),
        }
        return served.model.detect(*after_checks([images, image_sizes], checks))

    def serve_bytes(image_bytes: Any) -> dict[str, Any]:
        return detect_encoded(served, image_bytes)

    images = tf.TensorSpec((None, None, None, 3), tf.float32, name="images")
    sizes = tf.TensorSpec((None, 2), tf.float32, name="image_sizes")
    write_signatures(path, served.model, serve_images, [images, sizes], serve_bytes)
    describe_saved_model(path, describe_detector(served))


def _check_saved_model(
    served: TrainedDetector, path: Path, checked: Sequence[_CheckedPicture]
) -> list[Comparison]:
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    check_refusals(signatures)

    def run(picture: _CheckedPicture) -> Any:
        return signatures["serving_default"](
            images=tf.constant(picture.images), image_sizes=tf.constant(picture.sizes)
        )

    of_pictures, of_bytes = [], []
    for picture in checked:
        height, width = picture.pixels.shape[:2]
        factors = np.asarray([height, width] * 2) / np.tile(picture.sizes[0], 2)
        of_pictures.append({**picture.found, "boxes": picture.found["boxes"] * factors})
        # Lossless, so that these are the pixels that were compared.
        encoded = tf.io.encode_png(np.asarray(picture.pixels, np.uint8))
        of_bytes.append(_first(signatures["serve_bytes"](image_bytes=encoded[tf.newaxis])))
    return [*_compared(run, checked), compare_detections(of_pictures, of_bytes)]


def _write_onnx(served: TrainedDetector, fixed: Any, path: Path) -> None:
    model = detector_onnx(served.model, served.image_size)
    describe_onnx(model, describe_detector(served, batch=1))
    path.write_bytes(model.SerializeToString())


def _check_onnx(
    served: TrainedDetector, path: Path, checked: Sequence[_CheckedPicture]
) -> list[Comparison]:
    session = open_onnx(path)

    def run(picture: _CheckedPicture) -> Any:
        feed = {"images": picture.images, "image_sizes": picture.sizes}
        return dict(zip(OUTPUTS, session.run(list(OUTPUTS), feed), strict=True))

    return _compared(run, checked)


def _compared(
    run: Callable[[_CheckedPicture], Any], checked: Sequence[_CheckedPicture]
) -> list[Comparison]:
    found = [_first(run(picture)) for picture in checked]
    return [compare_detections([picture.found for picture in checked], found)]


def _write_litert(served: TrainedDetector, fixed: Any, path: Path) -> None:
    import tensorflow as tf

    holder = tf.Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [frozen_function(fixed).get_concrete_function()], holder
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    path.write_bytes(describe_litert(converter.convert(), describe_detector(served, batch=1)))


def _check_litert(
    served: TrainedDetector, path: Path, checked: Sequence[_CheckedPicture]
) -> list[Comparison]:
    import warnings

    import tensorflow as tf

    with warnings.catch_warnings():
        # It names a successor that has no wheels for some platforms of TensorFlow.
        warnings.simplefilter("ignore", UserWarning)
        runner = tf.lite.Interpreter(model_path=str(path)).get_signature_runner()
    return _compared(lambda each: runner(images=each.images, image_sizes=each.sizes), checked)


_Writer = Callable[[TrainedDetector, Any, Path], None]
_Reader = Callable[[TrainedDetector, Path, Sequence[_CheckedPicture]], list[Comparison]]
_WRITERS: dict[str, tuple[str, _Writer, _Reader]] = {
    "saved_model": ("saved_model", _write_saved_model, _check_saved_model),
    "onnx": ("detector.onnx", _write_onnx, _check_onnx),
    "litert": ("detector.tflite", _write_litert, _check_litert),
}
FORMATS = tuple(_WRITERS)
