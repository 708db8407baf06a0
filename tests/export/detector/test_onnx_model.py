"""A detector in ONNX Runtime finds to the last box what it finds in Keras."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.modeling.batch import IMAGES, SIZES
from nasnet_keras.detection.modeling.nms import non_max_suppression
from nasnet_keras.detection.modeling.roi_align import roi_align as keras_roi_align
from nasnet_keras.export.detector.onnx_boxes import roi_align, suppress
from nasnet_keras.export.detector.onnx_model import detector_onnx
from nasnet_keras.export.graph.onnx_builder import OnnxBuilder
from tests.detection_network import tiny_batch, tiny_config

onnxruntime = pytest.importorskip("onnxruntime")


def runner(model: Any) -> Callable[..., dict[str, np.ndarray]]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return lambda **feed: dict(zip(names, session.run(None, feed), strict=True))


def network(**overrides: Any) -> FasterRCNN:
    keras.utils.set_random_seed(4)
    model = FasterRCNN(tiny_config(**overrides))
    kernel = model.box_head.logits_dense.kernel
    # Surer of something, but no score so small that some backends take it for 0.
    kernel.assign(kernel * 4.0)
    generator = np.random.default_rng(2)
    for variable in model.network.variables:
        if variable.path.endswith("moving_variance"):
            variable.assign(generator.uniform(0.5, 2.0, variable.shape))
        if variable.path.endswith(("moving_mean", "beta")):
            variable.assign(generator.normal(size=variable.shape) * 0.1)
    return model


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"crops_per_chunk": None, "unused_classes": (1,)},
        {"crops_per_chunk": 3, "crop_size": 7, "detections": 12},
        {"evaluation_proposals": 1, "classes": 2, "detections": 7},
    ],
)
def test_every_setting_finds_the_same(settings: dict[str, Any]) -> None:
    model = network(**settings)
    run = runner(detector_onnx(model, (64, 64)))
    batch = tiny_batch()
    for row in range(2):
        images = batch["images"][row : row + 1].astype("float32")
        sizes = batch["image_sizes"][row : row + 1]
        expected = model({IMAGES: images, SIZES: sizes}, training=False)
        found = run(images=images, image_sizes=sizes)
        assert found["count"] > 0
        for name, values in found.items():
            values_there = ops.convert_to_numpy(expected[name])
            assert values.dtype == values_there.dtype
            np.testing.assert_allclose(values, values_there, rtol=1e-4, atol=1e-4, err_msg=name)


def test_scores_are_no_numbers_where_the_network_overflows() -> None:
    model = network()
    bias = model.region_head.box_conv.bias
    bias.assign(bias + np.float32("inf"))
    run = runner(detector_onnx(model, (64, 64)))
    images = tiny_batch()["images"][:1].astype("float32")
    found = run(images=images, image_sizes=np.full((1, 2), 64, "float32"))
    assert np.isnan(found["scores"]).all()


@pytest.mark.parametrize(("per_row", "limit"), [(5, 12), (40, 100)])
def test_equal_scores_are_picked_in_their_order(per_row: int, limit: int) -> None:
    generator = np.random.default_rng(0)
    corners = generator.uniform(0, 40, (3, 30, 2))
    sides = generator.uniform(5, 20, (3, 30, 2))
    boxes = np.concatenate([corners, corners + sides], -1).astype("float32")
    scores = (generator.integers(0, 5, (3, 30)) / 4).astype("float32")
    b = OnnxBuilder()
    kept = suppress(b, "boxes", "scores", (3, 30), per_row, limit, 0.3, 0.25)
    outputs = [
        b.value(b.rename(getattr(kept, name), f"kept_{name}"), shape, dtype)
        for name, shape, dtype in (
            ("boxes", [limit, 4], "float32"),
            ("scores", [limit], "float32"),
            ("rows", [limit], "int64"),
            ("is_valid", [limit], "bool"),
        )
    ]
    inputs = [b.value("boxes", [3, 30, 4]), b.value("scores", [3, 30])]
    found = runner(b.model("suppression", inputs, outputs))(boxes=boxes, scores=scores)
    indices, picked = map(np.asarray, non_max_suppression(boxes, scores, per_row, 0.3, 0.25))
    rows = np.repeat(np.arange(3), per_row)[picked.ravel()]
    indices = indices.ravel()[picked.ravel()]
    best = np.argsort(-scores[rows, indices], kind="stable")[:limit]
    rows, indices = rows[best], indices[best]
    is_valid = found["kept_is_valid"]
    assert is_valid.sum() == len(rows) > 4
    np.testing.assert_array_equal(found["kept_rows"][is_valid], rows)
    np.testing.assert_array_equal(found["kept_boxes"][is_valid], boxes[rows, indices])
    assert not found["kept_scores"][~is_valid].any()


@pytest.mark.parametrize("size", [1, 3, 5])
def test_roi_align_reads_the_same_pixels(size: int) -> None:
    features = np.random.default_rng(1).normal(size=(6, 9, 4)).astype("float32")
    boxes = np.array(
        [[0, 0, 1, 1], [0.1, 0.3, 0.8, 0.4], [-0.2, 0.5, 0.5, 1.3], [0, 0, 0, 0]], "float32"
    )
    b = OnnxBuilder()
    crops = roi_align(b, "features", (6, 9, 4), "boxes", 4, size)
    output = b.value(b.rename(crops, "crops"), [4, size, size, 4])
    inputs = [b.value("features", [6, 9, 4]), b.value("boxes", [4, 4])]
    found = runner(b.model("roi_align", inputs, [output]))(features=features, boxes=boxes)
    expected = keras_roi_align(features[np.newaxis], boxes, np.zeros(4, "int32"), size)
    np.testing.assert_allclose(found["crops"], ops.convert_to_numpy(expected), atol=1e-5)
