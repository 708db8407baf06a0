"""Requests and answers of the Open Inference Protocol v2 as arrays, the same behind each server.

A request has one of these:

- `image_bytes`, BYTES `(batch,)`: image files, in base64 where the transport carries text. A file
  that is refused has its reason in `status` and does not concern the others.
- `images`, UINT8 `(batch, height, width, 3)`: pixels of pictures of any size.
- `images`, FP32, as the network takes them: for a classifier preprocessed; for a detector in
  [0, 255], with `image_sizes`, FP32 `(batch, 2)`, height and width without padding.

A classifier answers with the best classes: `classes` (INT32), `names` and `scores`,
`(batch, top_k)`; with `probabilities`, `(batch, classes)`, where they are asked for. A detector
answers with `boxes`, `scores`, `labels`, `names` and `count`, see `select_detections`; boxes are in
pixels of each picture. Both answer with `status`, `(batch,)`: empty, or why a file was refused, for
which classes and labels are -1, names "" and scores 0.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasnet_keras.data.image_reader import open_image
from nasnet_keras.data.served_images import LARGEST_VALUE, SERVED_PIXELS
from nasnet_keras.serving.predictor import Prediction, Predictor
from nasnet_keras.text.suggestions import unknown_name

MOST_IMAGES = 256
"""In a request: what each becomes is in memory until all are answered."""

_FILES, _IMAGES, _SIZES = "image_bytes", "images", "image_sizes"
_OF_CLASSIFIER = ("classes", "names", "scores", "probabilities", "status")
_OF_DETECTOR = ("boxes", "scores", "labels", "names", "count", "status")

Tensor = tuple[str, str, list[int]]
"""Name, data type in the protocol's words, and shape, in which -1 is any number."""


def input_tensors(predictor: Predictor) -> list[Tensor]:
    """Returns what a request may have: files, or images as the network takes them."""
    height, width = predictor.description.image_size
    found = [(_FILES, "BYTES", [-1])]
    if not predictor.description.preprocessing_inside:
        found.append((_IMAGES, "FP32", [-1, height, width, 3]))
        if predictor.is_detector:
            found.append((_SIZES, "FP32", [-1, 2]))
    return found


def output_tensors(predictor: Predictor) -> list[Tensor]:
    """Returns what an answer may have."""
    if predictor.is_detector:
        shapes = {"boxes": [-1, -1, 4], "count": [-1], "status": [-1]}
        return [(name, _data_type(name), shapes.get(name, [-1, -1])) for name in _OF_DETECTOR]
    columns = {name: [-1, predictor.top_k] for name in ("classes", "names", "scores")}
    columns["probabilities"] = [-1, len(predictor.description.class_names)]
    return [(name, _data_type(name), columns.get(name, [-1])) for name in _OF_CLASSIFIER]


def _data_type(output: str) -> str:
    kinds = {"names": "BYTES", "status": "BYTES", "classes": "INT32", "labels": "INT32"}
    return (kinds | {"count": "INT32"}).get(output, "FP32")


def answer_request(
    predictor: Predictor, inputs: Mapping[str, np.ndarray], outputs: Sequence[str] = ()
) -> dict[str, np.ndarray]:
    """Answers a request.

    Args:
        predictor: Answers it.
        inputs: Its tensors by name; those of files and names hold objects, `bytes` or `str`.
        outputs: Names of what is wanted. Default: all but `probabilities`.

    Returns:
        The outputs, by name; texts are `str` objects.

    Raises:
        ValueError: An input is not as described above, an output is unknown, or the network's
            answer is not finite.
    """
    known = _OF_DETECTOR if predictor.is_detector else _OF_CLASSIFIER
    for name in outputs:
        if name not in known:
            raise ValueError(unknown_name("output", name, known))
    for name in inputs:
        if name not in (_FILES, _IMAGES, _SIZES):
            raise ValueError(unknown_name("input", name, (_FILES, _IMAGES, _SIZES)))
    if (_FILES in inputs) == (_IMAGES in inputs):
        raise ValueError(f"a request has one input of {_FILES} and {_IMAGES}")
    batch = inputs.get(_FILES, inputs.get(_IMAGES))
    assert batch is not None
    name = _FILES if _FILES in inputs else _IMAGES
    if not batch.ndim or not 1 <= len(batch) <= MOST_IMAGES:
        count = len(batch) if batch.ndim else "a scalar"
        raise ValueError(f"{name} has 1 to {MOST_IMAGES} images, got {count}")
    if name == _FILES:
        answer = _of_files(predictor, batch)
    elif batch.dtype == np.uint8:
        if batch.ndim != 4 or batch.shape[3] != 3 or not batch.size:
            raise ValueError(f"images of UINT8 are (batch, height, width, 3), got {batch.shape}")
        answer = _of_pictures(predictor, list(batch))
    else:
        answer = _of_network_images(predictor, batch, inputs.get(_SIZES))
    wanted = outputs or [name for name in known if name != "probabilities"]
    return {name: answer[name] for name in wanted}


def _of_files(predictor: Predictor, files: np.ndarray) -> dict[str, np.ndarray]:
    """Decodes each file for itself, so that a bad one does not concern the others."""
    if files.dtype.kind not in "OSU":
        raise ValueError(f"{_FILES} is of type BYTES, got {files.dtype}")
    read: list[Any] = []
    for file in files.reshape(-1):
        try:
            pixels = _decode(predictor, file)
        except ValueError as error:
            read.append(str(error))
        else:
            # Not all pictures are in memory at once, only what the network takes of each.
            read.append(_reduced(predictor, pixels))
    return _answered(predictor, read)


def _of_pictures(predictor: Predictor, pictures: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    return _answered(predictor, [_reduced(predictor, pixels) for pixels in pictures])


def _decode(predictor: Predictor, file: bytes | str) -> np.ndarray:
    encoded = file.encode() if isinstance(file, str) else bytes(file)
    # No image file is base64 from its first to its last byte.
    with contextlib.suppress(binascii.Error):
        encoded = base64.b64decode(encoded, validate=True)
    if not encoded:
        raise ValueError(f"{_FILES} holds no bytes")
    try:
        width, height = open_image(io.BytesIO(encoded)).size
    except Exception:  # What is wrong with it, the reader says in one line.
        width = height = 1
    if width * height > SERVED_PIXELS:
        raise ValueError(
            f"{_FILES} holds an image of {width} x {height} pixels, but 1 to "
            f"{SERVED_PIXELS:,} are taken"
        )
    return predictor.read(encoded)


def _reduced(predictor: Predictor, pixels: np.ndarray) -> Any:
    """Returns what is kept of a picture: a detector's answer, or a classifier's image."""
    if predictor.is_detector:
        return predictor.predict_pixels([pixels])[0]
    return predictor.prepare(pixels)


def _answered(predictor: Predictor, read: Sequence[Any]) -> dict[str, np.ndarray]:
    """Answers for what `_reduced` returned of each picture; for a text, it is the reason."""
    status = [each if isinstance(each, str) else "" for each in read]
    kept = [each for each in read if not isinstance(each, str)]
    is_read = np.asarray([not text for text in status])
    if predictor.is_detector:
        found = _detected(kept)
        nothing: dict[str, Any] = {"labels": -1, "names": ""}
    else:
        classes = len(predictor.description.class_names)
        values = predictor.probabilities(kept) if kept else np.zeros((0, classes), "float32")
        found = _classified(predictor, values)
        nothing = {"classes": -1, "names": ""}
    answer = {}
    for name, values in found.items():
        answer[name] = np.full((len(read), *values.shape[1:]), nothing.get(name, 0), values.dtype)
        answer[name][is_read] = values
    return answer | {"status": np.asarray(status, object)}


def _classified(predictor: Predictor, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    best = predictor.best_classes(probabilities, [(0, 0)] * len(probabilities))
    shape = (len(best), predictor.top_k)
    names = np.asarray([each.names for each in best], object).reshape(shape)
    return {
        "classes": np.asarray([each.labels for each in best], "int32").reshape(shape),
        "names": names,
        "scores": np.asarray([each.scores for each in best], "float32").reshape(shape),
        "probabilities": np.asarray(probabilities, "float32"),
    }


def _detected(found: Sequence[Prediction]) -> dict[str, np.ndarray]:
    # One column at least: clients do not read tensors without values.
    columns = max([1, *map(len, found)])
    shape = (len(found), columns)
    answer = {
        "boxes": np.zeros((*shape, 4), "float32"),
        "scores": np.zeros(shape, "float32"),
        "labels": np.full(shape, -1, "int32"),
        "names": np.full(shape, "", object),
        "count": np.asarray(list(map(len, found)), "int32"),
    }
    for row, each in enumerate(found):
        answer["boxes"][row, : len(each)] = each.boxes
        answer["scores"][row, : len(each)] = each.scores
        answer["labels"][row, : len(each)] = each.labels
        answer["names"][row, : len(each)] = each.names
    return answer


def _of_network_images(
    predictor: Predictor, images: np.ndarray, sizes: np.ndarray | None
) -> dict[str, np.ndarray]:
    """Answers for images as the network takes them."""
    described = predictor.description
    if images.dtype != np.float32 or described.preprocessing_inside:
        types = "UINT8" if described.preprocessing_inside else "FP32 or UINT8"
        raise ValueError(f"images is of type {types}, got {images.dtype}")
    height, width = described.image_size
    if images.shape[1:] != (height, width, 3):
        raise ValueError(f"images of FP32 are (batch, {height}, {width}, 3), got {images.shape}")
    if not (np.abs(images) <= LARGEST_VALUE).all():
        limit = f"{LARGEST_VALUE:,.0f}"
        raise ValueError(f"images has a value that is no number from -{limit} to {limit}")
    status = np.full(len(images), "", object)
    if not predictor.is_detector:
        if sizes is not None:
            raise ValueError(f"{_SIZES} is for detectors: this is a classifier")
        return _classified(predictor, predictor.probabilities(list(images))) | {"status": status}
    if sizes is None or sizes.shape != (len(images), 2) or sizes.dtype != np.float32:
        raise ValueError(f"{_SIZES} is FP32 ({len(images)}, 2), one row for each of images")
    if not ((sizes >= 1) & (sizes <= (height, width))).all():
        raise ValueError(f"{_SIZES} must be heights and widths from 1 to those of images")
    found = predictor.detections(images, sizes)
    names = np.asarray([*described.class_names, ""], object)
    labels = found["labels"].astype("int32")
    return {
        "boxes": np.asarray(found["boxes"], "float32"),
        "scores": np.asarray(found["scores"], "float32"),
        "labels": labels,
        # -1 is the last one, the empty name.
        "names": names[labels],
        "count": found["count"].astype("int32"),
        "status": status,
    }
