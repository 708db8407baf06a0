"""The formats that a detector is written in: in which file, in which precisions, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.export.description import (
    describe_litert,
    describe_onnx,
    describe_openvino,
    describe_saved_model,
)
from nasnet_keras.export.detector.onnx_model import detector_onnx
from nasnet_keras.export.detector.tensorflow_functions import (
    detect_encoded,
    fixed_function,
    frozen_function,
)
from nasnet_keras.export.detector_check import Comparison, Found, compare_detections
from nasnet_keras.export.detector_description import OUTPUTS, describe_detector
from nasnet_keras.export.graph.openvino_writer import openvino_model, save_openvino
from nasnet_keras.export.half_precision import onnx_in_float16
from nasnet_keras.export.output_files import CHANNEL_MULTIPLE, FileFormat
from nasnet_keras.export.runtimes import open_runtime
from nasnet_keras.export.signatures import after_checks, check_refusals, write_signatures

# The first convolution has no padding.
_LEAST_SIDE = 3


@dataclass(frozen=True, eq=False)
class CheckedPicture:
    """A picture, the detector's image of it, and what the detector finds in that."""

    pixels: np.ndarray
    images: np.ndarray
    sizes: np.ndarray
    found: Found


Compare = Callable[[TrainedDetector, str, Path, Sequence[CheckedPicture]], list[Comparison]]


@dataclass(frozen=True)
class DetectorFormat(FileFormat):
    """A format of files with a detector.

    Attributes:
        write: Writes a detector in a precision, with its description, to a temporary path of the
            first of `files`.
        compare: Compares such a file with the detector on pictures.
    """

    write: Callable[[TrainedDetector, str, Path], None]
    compare: Compare


def found_in_first(answer: Any) -> Found:
    """Returns what was found in the first image of a batch."""
    return {name: np.asarray(answer[name])[0] for name in OUTPUTS if name != "count"}


def _compared(
    run: Callable[[CheckedPicture], Any], checked: Sequence[CheckedPicture]
) -> list[Comparison]:
    found = [found_in_first(run(picture)) for picture in checked]
    return [compare_detections([picture.found for picture in checked], found)]


def _compare_in(file_format: str) -> Compare:
    """Returns a comparison in the runtime of a format."""

    def compare(
        served: TrainedDetector, precision: str, path: Path, checked: Sequence[CheckedPicture]
    ) -> list[Comparison]:
        loaded = open_runtime(file_format, path, precision)
        return _compared(lambda each: loaded(images=each.images, image_sizes=each.sizes), checked)

    return compare


def _write_onnx(served: TrainedDetector, precision: str, path: Path) -> None:
    model = _onnx(served, precision, CHANNEL_MULTIPLE)
    describe_onnx(model, describe_detector(served, batch=1, precision=precision))
    path.write_bytes(model.SerializeToString())


def _onnx(served: TrainedDetector, precision: str, channel_multiple: int) -> Any:
    change = (lambda name, stage: onnx_in_float16(stage)) if precision == "float16" else None
    return detector_onnx(served.model, served.image_size, channel_multiple, change)


def _write_openvino(served: TrainedDetector, precision: str, path: Path) -> None:
    model = openvino_model(_onnx(served, precision, channel_multiple=1))
    describe_openvino(model, describe_detector(served, batch=1, precision=precision))
    save_openvino(model, path)


def _write_litert(served: TrainedDetector, precision: str, path: Path) -> None:
    import tensorflow as tf

    from nasnet_keras.export.graph.tensorflow_writer import litert_converter

    function = frozen_function(fixed_function(served.model, served.image_size))
    converter = litert_converter(function.get_concrete_function())
    if precision != "float32":
        # Of 8 bits the weights only; activations get them while it runs. With theirs fixed, boxes
        # would be rounded to 256 places.
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    description = describe_detector(served, batch=1, precision=precision)
    path.write_bytes(describe_litert(converter.convert(), description))


def _write_saved_model(served: TrainedDetector, precision: str, path: Path) -> None:
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


def _compare_saved_model(
    served: TrainedDetector, precision: str, path: Path, checked: Sequence[CheckedPicture]
) -> list[Comparison]:
    import tensorflow as tf

    signatures = tf.saved_model.load(str(path)).signatures
    check_refusals(signatures)

    def run(picture: CheckedPicture) -> Any:
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
        answer = signatures["serve_bytes"](image_bytes=encoded[tf.newaxis])
        of_bytes.append(found_in_first(answer))
    return [*_compared(run, checked), compare_detections(of_pictures, of_bytes)]


DETECTOR_FORMATS: Mapping[str, DetectorFormat] = {
    "saved_model": DetectorFormat(
        ("saved_model",), ("float32",), _write_saved_model, _compare_saved_model
    ),
    "onnx": DetectorFormat(
        ("detector.onnx",), ("float32", "float16"), _write_onnx, _compare_in("onnx")
    ),
    "openvino": DetectorFormat(
        ("detector.xml", "detector.bin"),
        ("float32",),
        _write_openvino,
        _compare_in("openvino"),
    ),
    "litert": DetectorFormat(
        ("detector.tflite",), ("float32", "float16", "int8"), _write_litert, _compare_in("litert")
    ),
}
