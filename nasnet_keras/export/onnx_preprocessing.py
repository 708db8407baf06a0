"""Preprocessing inside an ONNX graph: an image of any size in, evaluation's numbers out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nasnet_keras.export.graph.onnx_builder import OnnxBuilder

_PREFIX = "preprocessing/"
_FLOAT = 1
"""ONNX's number of float32."""


def add_preprocessing(model: Any, preprocessing_name: str, size: int) -> None:
    """Puts preprocessing before a network: its input becomes uint8 `(batch, height, width, 3)`.

    Args:
        model: An `onnx.ModelProto` with one input, float32 `(batch, size, size, 3)`, which is
            changed.
        preprocessing_name: See `nasnet_keras.data.preprocessing`, to which a test holds it equal.
        size: Height and width of what the network takes.
    """
    (taken,) = model.graph.input
    builder = OnnxBuilder(_PREFIX)
    batch = taken.type.tensor_type.shape.dim[0]
    sides = (batch.dim_param or batch.dim_value, "height", "width", 3)
    images = builder.value(taken.name, sides, "uint8")
    pixels = builder.add("Cast", taken.name, to=_FLOAT)
    prepared = _PREPROCESSINGS[preprocessing_name](builder, pixels, size)
    before = builder.graph("preprocessing", [images], [])
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            if name == taken.name:
                node.input[place] = prepared
    nodes = [*before.node, *model.graph.node]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    model.graph.input.append(images)
    model.graph.initializer.extend(before.initializer)


def _scale(b: OnnxBuilder, x: str) -> str:
    return b.add("Sub", b.add("Div", x, b.constant(127.5, "float32")), b.constant(1, "float32"))


def _whiten(b: OnnxBuilder, x: str, size: int) -> str:
    def mean(tensor: str) -> str:
        return b.add("ReduceMean", tensor, axes=[1, 2, 3])

    centred = b.add("Sub", x, mean(x))
    deviation = b.add("Sqrt", mean(b.add("Mul", centred, centred)))
    least = b.constant(np.float32(size * size * 3) ** np.float32(-0.5), "float32")
    return b.add("Div", centred, b.add("Max", deviation, least))


def _resize(b: OnnxBuilder, x: str, size: int, places: str = "half_pixel") -> str:
    batch = b.add("Shape", x, start=0, end=1)
    sizes = b.add("Concat", batch, b.constant([size, size, 3], "int64"), axis=0)
    return b.add("Resize", x, "", "", sizes, mode="linear", coordinate_transformation_mode=places)


def _sides(b: OnnxBuilder, x: str) -> str:
    return b.add("Shape", x, start=1, end=3)


def _central_crop(b: OnnxBuilder, x: str) -> str:
    """Returns the central 7/8 of both sides."""
    sides = _sides(b, x)
    start = b.add("Div", sides, b.constant(16, "int64"))
    return b.add("Slice", x, start, b.add("Sub", sides, start), b.constant([1, 2], "int64"))


def _fit(b: OnnxBuilder, x: str, size: int) -> str:
    """Returns the centre, or the image in a black border; the odd pixel is at the end."""
    zero, two = b.constant(0, "int64"), b.constant(2, "int64")
    surplus = b.add("Sub", _sides(b, x), b.constant(size, "int64"))
    start = b.add("Div", b.add("Max", surplus, zero), two)
    end = b.add("Add", start, b.constant(size, "int64"))
    cut = b.add("Slice", x, start, end, b.constant([1, 2], "int64"))
    missing = b.add("Max", b.add("Neg", surplus), zero)
    before = b.add("Div", missing, two)
    none = b.constant([0], "int64")
    pads = b.add("Concat", none, before, none, none, b.add("Sub", missing, before), none, axis=0)
    return b.add("Pad", cut, pads)


_PREPROCESSINGS: Mapping[str, Callable[[OnnxBuilder, str, int], str]] = {
    "scale": lambda b, x, size: _scale(b, _resize(b, x, size)),
    "whiten": lambda b, x, size: _whiten(b, _resize(b, x, size), size),
    # TF 1's resize puts the first pixel on the first pixel.
    "inception": lambda b, x, size: _scale(b, _resize(b, _central_crop(b, x), size, "asymmetric")),
    "cifar": lambda b, x, size: _whiten(b, _fit(b, x, size), size),
}
