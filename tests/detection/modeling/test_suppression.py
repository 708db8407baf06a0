"""Non-maximum suppression, proposals and detections against TensorFlow's operations."""

import keras
import numpy as np
import pytest

from nasnet_keras.detection.modeling.nms import non_max_suppression
from nasnet_keras.detection.modeling.post_processing import decode_detections, select_detections
from nasnet_keras.detection.modeling.proposals import propose_boxes

SCALES = (10.0, 10.0, 5.0, 5.0)


def array(x: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


def random_boxes(generator: np.random.Generator, *shape: int) -> np.ndarray:
    low = generator.uniform(-10, 80, (*shape, 2))
    return np.concatenate([low, low + generator.uniform(-1, 40, (*shape, 2))], -1).astype("float32")


@pytest.mark.tensorflow
@pytest.mark.parametrize("iou", [0.0, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("least", [0.0, 0.5, -1.0])
def test_suppression_picks_what_tensorflow_picks(iou: float, least: float) -> None:
    import tensorflow as tf

    generator = np.random.default_rng(6)
    boxes = random_boxes(generator, 5, 120)
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2])
    # Rounded, so that equal scores come up.
    scores = generator.uniform(-0.2, 1, (5, 120)).round(2).astype("float32")
    scores[4] = -0.5
    indices, picked = map(array, non_max_suppression(boxes, scores, 30, iou, least))
    for k in range(5):
        expected = tf.image.non_max_suppression(boxes[k], scores[k], 30, iou, least).numpy()
        assert indices[k][picked[k]].tolist() == expected.tolist()


@pytest.mark.tensorflow
@pytest.mark.parametrize("jit_compile", [False, True])
def test_suppression_compiles_and_runs_with_unknown_sizes(jit_compile: bool) -> None:
    import tensorflow as tf

    boxes = random_boxes(np.random.default_rng(7), 2, 40)
    scores = np.random.default_rng(8).uniform(size=(2, 40)).astype("float32")
    shapes = [tf.TensorSpec((None, None, 4)), tf.TensorSpec((None, None))]
    compiled = tf.function(
        lambda b, s: non_max_suppression(b, s, 10, 0.5, 0.0), shapes, jit_compile=jit_compile
    )
    eager = non_max_suppression(boxes, scores, 10, 0.5, 0.0)
    for x, y in zip(compiled(boxes, scores), eager, strict=True):
        np.testing.assert_array_equal(array(x), array(y))


def test_suppression_by_hand() -> None:
    boxes = np.array([[[0, 0, 10, 10], [0, 0, 10, 9], [20, 20, 30, 30], [0, 0, 0, 0]]], "float32")
    scores = np.array([[0.5, 0.9, 0.6, 0.1]], "float32")
    indices, picked = map(array, non_max_suppression(boxes, scores, 5, 0.7, 0.2))
    assert indices.tolist() == [[1, 2, 0, 0, 0]]
    assert picked.tolist() == [[True, True, False, False, False]]


def test_proposals_are_decoded_sorted_and_clipped() -> None:
    anchors = np.array([[0, 0, 20, 20], [1, 0, 20, 20], [30, 30, 90, 90], [0, 0, 9, 9]], "float32")
    encodings = np.zeros((1, 4, 4), "float32")
    encodings[0, 0, 0] = -5.0  # Half of its height up.
    logits = np.array([[[0, 1], [0, 3], [0, 2], [0, 9]]], "float32")
    boxes, scores, valid = map(
        array,
        propose_boxes(
            encodings,
            logits,
            anchors,
            np.array([[50, 60]], "float32"),
            4,
            0.7,
            SCALES,
            np.array([[True, True, True, False]]),
        ),
    )
    expected = [[1, 0, 20, 20], [30, 30, 50, 60], [0, 0, 10, 20], [0, 0, 0, 0]]
    np.testing.assert_allclose(boxes[0], expected, atol=1e-4)
    assert valid.tolist() == [[True, True, True, False]]
    np.testing.assert_allclose(scores[0, :3], 1 / (1 + np.exp([-3.0, -2, -1])), rtol=1e-5)


def test_proposals_are_clipped_before_they_are_compared() -> None:
    # Surest first: two beyond the image, of which nothing is left, and two that are the same in it.
    anchors = np.array(
        [[60, 0, 80, 20], [0, 70, 20, 90], [0, 0, 50, 50], [-50, 0, 50, 50]], "float32"
    )
    logits = np.array([[[0, 9], [0, 8], [0, 3], [0, 2]]], "float32")
    encodings = np.zeros((1, 4, 4), "float32")
    sizes = np.array([[50, 60]], "float32")
    boxes, _, valid = map(array, propose_boxes(encodings, logits, anchors, sizes, 2, 0.7, SCALES))
    assert boxes.tolist() == [[[0, 0, 50, 50], [0, 0, 0, 0]]]
    assert valid.tolist() == [[True, False]]


def test_each_class_of_a_proposal_has_its_own_box() -> None:
    proposals = np.array([[[0, 0, 10, 20], [5, 5, 15, 15]]], "float32")
    encodings = np.zeros((1, 2, 3, 4), "float32")
    encodings[0, 0, 1] = (10, 0, 0, 0)
    encodings[0, 1, 2] = (0, 0, 0, 5 * np.log(2))
    logits = np.log(np.array([[[0.4, 0.1, 0.2, 0.3], [0.1, 0.2, 0.3, 0.4]]], "float32"))
    boxes, scores = map(
        array,
        decode_detections(encodings, logits, proposals, np.array([[True, False]]), SCALES),
    )
    np.testing.assert_allclose(boxes[0, 0], [[0, 0, 10, 20], [10, 0, 20, 20], [0, 0, 10, 20]])
    np.testing.assert_allclose(boxes[0, 1, 2], [5, 0, 15, 20], atol=1e-5)
    np.testing.assert_allclose(scores, [[[0.1, 0.2, 0.3], [-1, -1, -1]]], rtol=1e-5)


@pytest.mark.tensorflow
def test_detections_are_those_of_tensorflows_combined_suppression() -> None:
    import tensorflow as tf

    generator = np.random.default_rng(9)
    boxes = random_boxes(generator, 3, 60, 4)
    # All within the image: those outside have no area there and would be left out.
    boxes[..., 2:] = np.maximum(boxes[..., 2:], boxes[..., :2] + 1)
    boxes = np.clip(boxes + 10, 0, 100)
    scores = generator.uniform(size=(3, 60, 4)).astype("float32")
    sizes = np.full((3, 2), 100, "float32")
    found = select_detections(boxes, scores, sizes, 0.6, 0.1, 20, 30)
    found = {name: array(values) for name, values in found.items()}
    expected = tf.image.combined_non_max_suppression(
        boxes, scores, 20, 30, 0.6, 0.1, clip_boxes=False
    )
    np.testing.assert_array_equal(found["count"], expected.valid_detections)
    np.testing.assert_allclose(found["scores"], expected.nmsed_scores)
    np.testing.assert_allclose(found["boxes"], expected.nmsed_boxes)
    np.testing.assert_array_equal(found["labels"], expected.nmsed_classes)


def test_detections_are_clipped_before_they_are_compared() -> None:
    boxes = np.array([[[[0, 0, 50, 50]], [[-80, 0, 50, 50]]]], "float32")
    scores = np.array([[[0.9], [0.8]]], "float32")
    found = select_detections(boxes, scores, np.array([[50, 80]], "float32"), 0.6, 0.0, 2, 2)
    assert array(found["count"]).tolist() == [1]


def test_detections_are_clipped_and_empty_places_marked() -> None:
    boxes = np.array([[[[-5, 10, 20, 90]], [[60, 60, 70, 70]]]], "float32")
    scores = np.array([[[0.5], [0.9]]], "float32")
    found = select_detections(boxes, scores, np.array([[50, 80]], "float32"), 0.6, 0.0, 4, 3)
    assert array(found["boxes"]).tolist() == [[[0, 10, 20, 80], [0] * 4, [0] * 4]]
    assert array(found["labels"]).tolist() == [[0, -1, -1]]
    assert array(found["count"]).tolist() == [1]
