"""The original detectors with the golden weights, and how far ours are from their values."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from nasnet_keras.detection import DetectorConfig, FasterRCNN, get_config
from nasnet_keras.detection.modeling.batch import BOXES, IMAGES, LABELS, SIZES
from nasnet_keras.detection.modeling.boxes import clip_boxes
from nasnet_keras.detection.modeling.proposals import propose_boxes
from nasnet_keras.weights.assign import StoredArray
from tests.golden_network import FOLDER, golden_value, golden_values

CONFIGS = {"nas_256": "nasnet_large_1200", "pnas_256": "pnasnet_large_1200"}
_FILE = "slim_detector.npz"
_LOSSES = {
    "region_box_loss": "Loss/RPNLoss/localization_loss",
    "region_class_loss": "Loss/RPNLoss/objectness_loss",
    "box_loss": "Loss/BoxClassifierLoss/localization_loss",
    "class_loss": "Loss/BoxClassifierLoss/classification_loss",
}
LIMITS = {
    "features": 1e-5,
    "region head": 2e-5,
    "anchors": 0.0,
    "proposals, pixels": 1e-3,
    "second stage": 1e-5,
    "scores": 1e-6,
    "boxes": 1e-6,
    "valid count": 0.0,
    "losses, relative": 1e-4,
}
"""How far each may be from the original's value."""


@functools.cache
def golden_detectors() -> dict[str, Any]:
    return json.loads((FOLDER / "slim_detector.json").read_text())


def golden_shapes(tag: str) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every variable of the original by its name."""
    return {name: tuple(shape) for name, shape in golden_detectors()[tag]["variables"]}


def golden_arrays(tag: str) -> dict[str, StoredArray]:
    """Returns the golden weights by the original's names."""

    def stored(name: str, shape: tuple[int, ...]) -> StoredArray:
        return StoredArray(shape, lambda: golden_value(name, shape))

    return {name: stored(name, shape) for name, shape in golden_shapes(tag).items()}


def golden_config(tag: str) -> DetectorConfig:
    """Returns the original's configuration, and the samples that its losses were computed with."""
    original = golden_detectors()[tag]
    return get_config(CONFIGS[tag]).detector.replace(
        image_size=tuple(original["image"]),
        classes=original["classes"],
        evaluation_proposals=original["proposals"],
        training_proposals=original["proposals"],
        region_batch_size=100_000,
        box_batch_size=original["proposals"],
        # Outside of training it counts every proposal.
        box_positive_fraction=1.0,
    )


def differences(detector: FasterRCNN, tag: str) -> dict[str, float]:
    """Returns how far a detector with the golden weights is from the original; see `LIMITS`."""
    original = golden_detectors()[tag]
    height, width = original["image"]
    image = np.random.default_rng(original["seed"]).integers(0, 256, (1, height, width, 3))
    values = _golden(tag)
    sizes = np.asarray([[height, width]], "float32")
    batch = {
        IMAGES: image.astype("float32"),
        SIZES: sizes,
        BOXES: (values["boxes"] * np.tile(sizes[0], 2))[None],
        LABELS: values["labels"].argmax(-1).astype("int32")[None],
    }
    ours = _run(detector, lambda: _outputs(detector, batch))
    weights = detector.loss_weights()
    losses = [float(ours[name][0]) * weights[name] for name in _LOSSES]
    expected = [float(values[f"loss:{name}"]) for name in _LOSSES.values()]

    def far(name: str, key: str) -> float:
        return _far(ours[name], values[key])

    limits = np.tile(sizes[0], 2)
    return {
        "features": _far(_sample(ours["features"]), values["rpn_features_to_crop:sample"]),
        "region head": max(
            _far(_sample(ours["region"]), values["rpn_box_predictor_features:sample"]),
            far("region_encodings", "rpn_box_encodings"),
            far("region_logits", "rpn_objectness_predictions_with_background"),
        ),
        "anchors": _far(ours["anchors"][0], values["anchors"]),
        "proposals, pixels": far("proposals", "proposal_boxes"),
        "second stage": max(
            _far(ours["encodings"][0], values["refined_box_encodings"]),
            _far(ours["logits"][0], values["class_predictions_with_background"]),
        ),
        "scores": far("scores", "detections:detection_scores"),
        "boxes": _far(ours["boxes"] / limits, values["detections:detection_boxes"]),
        "valid count": far("count", "detections:num_detections"),
        "losses, relative": max(abs(a / b - 1) for a, b in zip(losses, expected, strict=True)),
    }


def _outputs(detector: FasterRCNN, batch: dict[str, np.ndarray]) -> dict[str, Any]:
    """Runs a detector part by part."""
    c = detector.config
    images, sizes = (keras.ops.convert_to_tensor(batch[name]) for name in (IMAGES, SIZES))
    first = detector._first_stage(images, training=False)
    features, step, encodings, logits, anchors = first
    anchors = clip_boxes(anchors, sizes)
    found = {
        "features": features,
        "region": detector.region_head.conv(features),
        "region_encodings": encodings,
        "region_logits": logits,
        "anchors": anchors,
    }
    found["proposals"], _, _ = propose_boxes(
        encodings, logits, anchors, sizes, c.evaluation_proposals, c.region_nms_iou, c.box_scales
    )
    found["encodings"], found["logits"] = detector._second_stage(
        images, features, step, found["proposals"], training=False
    )
    found |= detector.detect(images, sizes)
    # The original leaves out anchors across the border in training mode only, and its losses here
    # were computed outside of it, with anchors that end at the border.
    detector._first_stage = lambda *_, **__: (*first[:4], anchors[0])
    return found | detector(batch)


def _run(detector: FasterRCNN, function: Callable[[], dict[str, Any]]) -> dict[str, np.ndarray]:
    """Runs a function of a detector as one compiled function."""
    variables = [v for v in detector.variables]

    def stateless(values: list[Any]) -> dict[str, Any]:
        with keras.StatelessScope(zip(variables, values, strict=True)):
            return function()

    try:
        if keras.backend.backend() == "jax":
            import jax

            outputs = jax.jit(stateless)([v.value for v in variables])
        else:
            outputs = function()
    finally:
        del detector._first_stage
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}


def _golden(tag: str) -> dict[str, np.ndarray]:
    prefix = f"{tag}|"
    found = golden_values(_FILE).items()
    return {key.removeprefix(prefix): value for key, value in found if key.startswith(prefix)}


def _sample(values: np.ndarray) -> np.ndarray:
    flat = values.ravel()
    return flat[:: flat.size // 512][:512]


def _far(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours.astype("float64") - theirs).max())
