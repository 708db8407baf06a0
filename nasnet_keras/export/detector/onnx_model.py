"""A detector as ONNX: its two networks from the inference graph, and what lies between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from nasnet_keras.detection.modeling.anchors import make_anchors
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.export.detector.onnx_boxes import (
    clip_boxes,
    decode_boxes,
    have_area,
    last_axis,
    roi_align,
    suppress,
)
from nasnet_keras.export.graph.lowering.detector import (
    CROPS,
    ENCODINGS,
    FEATURES,
    IMAGES,
    LOGITS,
    detector_stages,
)
from nasnet_keras.export.graph.nodes import Graph, Input
from nasnet_keras.export.graph.onnx_builder import OnnxBuilder
from nasnet_keras.export.graph.onnx_writer import (
    add_graph,
    to_channels_first,
    to_channels_last,
    write_onnx,
)
from nasnet_keras.export.graph.passes import optimized
from nasnet_keras.export.graph.shapes import shapes

_SIZES = "image_sizes"
_FIRST, _SECOND = "first_stage", "second_stage"

Change = Callable[[str, Any], Any]
"""From a stage's name and its `onnx.ModelProto` to another one with the same inputs and outputs."""


def detector_onnx(
    model: FasterRCNN,
    size: tuple[int, int],
    channel_multiple: int = 16,
    change: Change | None = None,
) -> Any:
    """Returns a detector for one image of a fixed size as an `onnx.ModelProto`.

    Its inputs are `images`, float32 `(1, *size, 3)` in [0, 255], and `image_sizes`, float32
    `(1, 2)`: height and width without the padding. Its outputs are those of `select_detections`.

    Args:
        model: The detector.
        size: Height and width of the image.
        channel_multiple: See `optimized`.
        change: What else becomes of its two networks, e.g. another precision. What lies between
            them stays in float32: a pixel of a large image is less than the last bit of a half.

    Raises:
        ValueError: onnx is not installed.
    """
    c = model.config
    first, second = (optimized(stage, channel_multiple) for stage in detector_stages(model))
    first = _of_size(first, size)
    b = OnnxBuilder()
    limits = b.add("Concat", _SIZES, _SIZES, axis=1)
    stage = _add_stage(b, _FIRST, first, IMAGES, IMAGES, change)
    features = stage[FEATURES]
    shape = cast("tuple[int, int, int]", shapes(first)[first.outputs[FEATURES]])
    proposals, is_valid = _propose(b, c, stage[ENCODINGS], stage[LOGITS], shape, limits)
    encodings, logits = _second_stage(b, c, second, features, shape, proposals, size, change)
    answered = [stage[ENCODINGS], stage[LOGITS], encodings, logits]
    found = _detections(b, c, encodings, logits, proposals, is_valid, limits)
    found["scores"] = b.add("Add", found["scores"], _nan_where_not_finite(b, answered))
    declared = {
        "boxes": ([1, c.detections, 4], "float32"),
        "scores": ([1, c.detections], "float32"),
        "labels": ([1, c.detections], "int32"),
        "count": ([1], "int32"),
    }
    outputs = [
        b.value(b.rename(found[name], name), *declaration) for name, declaration in declared.items()
    ]
    inputs = [b.value(IMAGES, [1, *size, 3]), b.value(_SIZES, [1, 2])]
    return b.model("detector", inputs, outputs)


def _of_size(graph: Graph, size: tuple[int, int]) -> Graph:
    """Returns a graph whose images have a known size."""

    def sized(node: Any) -> Any:
        is_input = isinstance(node, Input)
        return dataclasses.replace(node, shape=(*size, node.shape[-1])) if is_input else node

    return graph.replace(map(sized, graph.nodes))


def _add_stage(
    b: OnnxBuilder, name: str, graph: Graph, given: str, tensor: str, change: Change | None
) -> dict[str, str]:
    """Adds a network of one input, `given`; returns its outputs; images channels last."""
    known = shapes(graph)
    if change is not None:
        return b.add_model(change(name, write_onnx(graph, name)), name, {given: tensor})
    found = add_graph(b, graph, {given: to_channels_first(b, tensor, known[given])})
    return {
        output: to_channels_last(b, found[output], known[node])
        for output, node in graph.outputs.items()
    }


def _propose(
    b: OnnxBuilder,
    c: DetectorConfig,
    encodings: str,
    logits: str,
    shape: tuple[int, int, int],
    limits: str,
) -> tuple[str, str]:
    """As `propose_boxes`; returns `(proposals, 4)` and which are real."""
    height, width = shape[:2]
    anchors = make_anchors(c.anchor_sizes(), height, width, c.anchor_stride, c.anchor_offset)
    anchors = np.asarray(anchors)[np.newaxis]
    clipped = clip_boxes(b, b.constant(anchors, "float32"), limits)
    boxes = clip_boxes(b, decode_boxes(b, encodings, clipped, c.box_scales), limits)
    is_object = b.add("Softmax", logits, axis=-1)
    is_object = b.add("Squeeze", last_axis(b, is_object, 1, 2), b.constant([-1], "int64"))
    scores = b.add("Where", have_area(b, boxes), is_object, b.constant(-1.0, "float32"))
    count = c.evaluation_proposals
    kept = suppress(b, boxes, scores, (1, anchors.shape[1]), count, count, c.region_nms_iou, 0.0)
    return kept.boxes, kept.is_valid


def _second_stage(
    b: OnnxBuilder,
    c: DetectorConfig,
    graph: Graph,
    features: str,
    shape: tuple[int, int, int],
    proposals: str,
    size: tuple[int, int],
    change: Change | None,
) -> tuple[str, str]:
    """As `FasterRCNN._second_stage`; returns `(proposals, classes, 4)` and logits."""
    features = b.add("Squeeze", features, b.constant([0], "int64"))
    boxes = b.add("Div", proposals, b.constant([*size, *size], "float32"))
    count = c.evaluation_proposals
    per_chunk = min(c.crops_per_chunk or count, count)
    chunks = -(-count // per_chunk)
    names = (ENCODINGS, LOGITS)

    def add_stage(builder: OnnxBuilder, features: str, boxes: str) -> list[str]:
        crops = roi_align(builder, features, shape, boxes, per_chunk, c.crop_size)
        found = _add_stage(builder, _SECOND, graph, CROPS, crops, change)
        return [found[name] for name in names]

    if chunks == 1:
        encodings, logits = add_stage(b, features, boxes)
        return encodings, logits
    # A loop bounds the memory, as in the detector itself.
    padding = b.constant([0, 0, chunks * per_chunk - count, 0], "int64")
    boxes = b.add("Pad", boxes, padding)
    boxes = b.add("Reshape", boxes, b.constant([chunks, per_chunk, 4], "int64"))
    body = OnnxBuilder("chunk/")
    outer = [(c.classes, 4), (c.classes + 1,)]
    # The features go from chunk to chunk: OpenVINO's loops see nothing of what is around them.
    inputs = [
        body.value("chunk/features", shape),
        body.value("chunk/boxes", [per_chunk, 4]),
    ]
    found = add_stage(body, "chunk/features", "chunk/boxes")
    outputs = [body.value(body.rename("chunk/features", "chunk/same_features"), shape)]
    for tensor, name, sides in zip(found, names, outer, strict=True):
        outputs.append(body.value(body.rename(tensor, f"chunk/{name}"), [per_chunk, *sides]))
    _, *scanned = b.add_many(
        "Scan",
        features,
        boxes,
        count=3,
        body=body.graph("chunk", inputs, outputs),
        num_scan_inputs=1,
    )
    results = []
    for tensor, sides in zip(scanned, outer, strict=True):
        flat = b.add("Reshape", tensor, b.constant([chunks * per_chunk, *sides], "int64"))
        span = ([0], [count], [0])
        results.append(b.add("Slice", flat, *(b.constant(x, "int64") for x in span)))
    return results[0], results[1]


def _detections(
    b: OnnxBuilder,
    c: DetectorConfig,
    encodings: str,
    logits: str,
    proposals: str,
    is_valid: str,
    limits: str,
) -> dict[str, str]:
    """As `decode_detections` and `select_detections`, for one image."""
    classes, count = c.classes, c.evaluation_proposals
    first, last = b.constant([0], "int64"), b.constant([-1], "int64")
    nothing = b.constant(-1.0, "float32")
    anchors = b.add("Unsqueeze", proposals, b.constant([1], "int64"))
    boxes = clip_boxes(b, decode_boxes(b, encodings, anchors, c.box_scales), limits)
    scores = last_axis(b, b.add("Softmax", logits, axis=-1), 1, classes + 1)
    counts = b.add("And", b.add("Unsqueeze", is_valid, last), have_area(b, boxes))
    if c.unused_classes:
        is_used = np.isin(np.arange(classes), c.unused_classes, invert=True)
        counts = b.add("And", counts, b.constant(is_used))
    scores = b.add("Where", counts, scores, nothing)
    kept = suppress(
        b,
        b.add("Transpose", boxes, perm=(1, 0, 2)),
        b.add("Transpose", scores, perm=(1, 0)),
        (classes, count),
        c.detections_per_class,
        c.detections,
        c.detection_nms_iou,
        c.detection_score_threshold,
    )
    labels = b.add("Where", kept.is_valid, kept.rows, b.constant(-1, "int64"))
    valid = b.add("Cast", kept.is_valid, to=_INT32)
    return {
        "boxes": b.add("Unsqueeze", kept.boxes, first),
        "scores": b.add("Unsqueeze", kept.scores, first),
        "labels": b.add("Unsqueeze", b.add("Cast", labels, to=_INT32), first),
        "count": b.add("ReduceSum", valid, first, keepdims=1),
    }


_INT32 = 6
"""`onnx.TensorProto.INT32`."""


def _nan_where_not_finite(b: OnnxBuilder, tensors: list[str]) -> str:
    """Returns 0, or NaN where a number of the tensors is not finite: `(1,)`."""
    sums = []
    for tensor in tensors:
        nought = b.add("Mul", tensor, b.constant(0.0, "float32"))
        flat = b.add("Reshape", nought, b.constant([-1], "int64"))
        sums.append(b.add("ReduceSum", flat, keepdims=1))
    return b.add("Sum", *sums)
