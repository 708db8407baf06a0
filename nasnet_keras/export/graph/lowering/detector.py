"""A detector's two networks; what lies between them (proposals, ROI align, NMS) is no network."""

from __future__ import annotations

import numpy as np

from nasnet_keras.detection.modeling.faster_rcnn import FasterRCNN
from nasnet_keras.export.graph.lowering.builder import NOTHING, GraphBuilder
from nasnet_keras.export.graph.lowering.graph_of import lower
from nasnet_keras.export.graph.nodes import Affine, GlobalAveragePool, Graph

IMAGES, CROPS = "images", "crops"
FEATURES, ENCODINGS, LOGITS = "features", "encodings", "logits"


def detector_stages(detector: FasterRCNN, scaled: bool = False) -> tuple[Graph, Graph]:
    """Writes down both stages of a detector.

    Args:
        detector: The detector.
        scaled: Whether images are given in [-1, 1] already, instead of in [0, 255].

    Returns:
        The first stage: from `"images"` `(batch, height, width, 3)`, sizes unknown, to
        `"features"` for ROI align, and the RPN's `"encodings"` `(batch, anchors, 4)` and `"logits"`
        `(batch, anchors, 2)`. The second: from `"crops"` `(crops, size, size, channels)` to
        `"encodings"` `(crops, classes, 4)` and `"logits"` `(crops, classes + 1)`.
    """
    return _first_stage(detector, scaled), _second_stage(detector)


def _first_stage(detector: FasterRCNN, scaled: bool) -> Graph:
    builder = GraphBuilder()
    x = builder.input(IMAGES, (None, None, 3))
    if not scaled:
        scale, offset = np.full(3, 2.0 / 255.0), np.full(3, -1.0)
        x = builder.add(Affine, f"{IMAGES}/scaled", x, scale=scale, offset=offset)
    outputs = lower(builder, detector.backbone.first_stage, x)
    features = outputs[0] if isinstance(outputs, list) else outputs
    encodings, logits = lower(builder, detector.region_head, features)
    return builder.graph({FEATURES: features, ENCODINGS: encodings, LOGITS: logits})


def _second_stage(detector: FasterRCNN) -> Graph:
    builder = GraphBuilder()
    side = detector.config.crop_size
    crops = builder.input(CROPS, (side, side, detector.backbone.channels))
    x = lower(builder, detector.backbone.second_stage, crops, step=NOTHING)
    x = builder.add(GlobalAveragePool, "global_pool", x)
    encodings, logits = lower(builder, detector.box_head, x)
    return builder.graph({ENCODINGS: encodings, LOGITS: logits})
