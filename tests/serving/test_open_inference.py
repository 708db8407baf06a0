"""Requests of the Open Inference Protocol, before any server has them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.data.image_reader import FORMATS
from nasnet_keras.serving import load_predictor, open_inference
from nasnet_keras.serving.open_inference import answer_request, input_tensors, output_tensors
from nasnet_keras.serving.tensors import data_type, from_list, to_list
from tests.serving.colour_network import SIDE, picture, write_colour_network


@pytest.fixture(scope="module")
def predictor(tmp_path_factory):
    path = write_colour_network(tmp_path_factory.mktemp("colours") / "model.onnx")
    return load_predictor(path, top_k=2)


def encoded(pixels, file_format="png"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return stream.getvalue()


def texts(*values):
    return np.asarray(values, object)


def test_files_are_taken_as_bytes_and_in_base64_whatever_their_format(predictor):
    green = picture(10, 240, 10, (20, 30))
    for known in FORMATS:
        file = encoded(green, known.name)
        sent = texts(file, base64.b64encode(file), base64.b64encode(file).decode())
        answer = answer_request(predictor, {"image_bytes": sent})
        assert answer["names"][:, 0].tolist() == ["green"] * 3, known.name
        assert answer["status"].tolist() == [""] * 3


def test_a_file_that_is_refused_has_a_reason_and_the_others_have_answers(predictor, monkeypatch):
    monkeypatch.setattr(open_inference, "SERVED_PIXELS", 100)
    good = encoded(picture(0, 0, 240))
    bad = (b"", b"GIF89a", good[: len(good) // 2], encoded(picture(0, 0, 240, (11, 10))))
    answer = answer_request(predictor, {"image_bytes": texts(good, *bad, good)})
    assert answer["names"].tolist()[0] == answer["names"].tolist()[-1] == ["blue", "red"]
    assert answer["names"][1:-1].tolist() == [["", ""]] * 4
    assert answer["classes"][1:-1].tolist() == [[-1, -1]] * 4
    assert not answer["scores"][1:-1].any() and answer["scores"][0, 0] > 0.9
    reasons = answer["status"].tolist()
    assert reasons[0] == reasons[-1] == ""
    for reason, words in zip(
        reasons[1:-1],
        ("holds no bytes", "not a readable image", "not a readable image", "10 x 11 pixels, but"),
        strict=True,
    ):
        assert words in reason and "\n" not in reason
    only_bad = answer_request(predictor, {"image_bytes": texts(b"x")}, ["probabilities"])
    assert only_bad["probabilities"].tolist() == [[0, 0, 0]]


def test_answers_are_of_the_types_and_shapes_that_are_described(predictor):
    answer = answer_request(
        predictor,
        {"images": np.zeros((3, SIDE, SIDE, 3), "float32")},
        [name for name, _, _ in output_tensors(predictor)],
    )
    for name, kind, shape in output_tensors(predictor):
        assert data_type(answer[name]) == kind
        assert [-1, *answer[name].shape[1:]] == shape
        copied = from_list(name, kind, answer[name].shape, to_list(answer[name]))
        np.testing.assert_array_equal(copied, answer[name])
    assert [name for name, _, _ in input_tensors(predictor)] == ["image_bytes", "images"]


ZEROS = np.zeros((1, SIDE, SIDE, 3), "float32")


@pytest.mark.parametrize(
    ("inputs", "line"),
    [
        ({}, "a request has one input of image_bytes and images"),
        ({"images": np.float32(0)}, "1 to 256 images, got a scalar"),
        ({"images": ZEROS[:0]}, "1 to 256 images, got 0"),
        ({"images": ZEROS * np.nan}, "has a value that is no number from -10,000 to 10,000"),
        ({"images": np.zeros((1, 3, 3), np.uint8)}, r"\(batch, height, width, 3\), got"),
        ({"images": ZEROS, "image_sizes": np.ones((1, 2), "float32")}, "this is a classifier"),
        ({"image_bytes": ZEROS}, "image_bytes is of type BYTES, got float32"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(predictor, inputs, line):
    with pytest.raises(ValueError, match=line):
        answer_request(predictor, inputs)


@pytest.mark.parametrize(
    ("kind", "shape", "data", "line"),
    [
        ("FP64", [1], [1.0], "x is of type FP32, UINT8, INT32, BYTES, got 'FP64'"),
        ("FP32", [2], ["a", 1], "another type, range or depth"),
        ("UINT8", [1], [256], "another type, range or depth"),
        ("FP32", [-1, -2], [1, 2], "has 2 values, got 2"),
        ("FP32", [3], [1, 2], "has 3 values, got 2"),
        ("BYTES", [1], [5], "has values that are no bytes"),
    ],
)
def test_tensors_of_another_type_or_shape_are_refused(kind, shape, data, line):
    with pytest.raises(ValueError, match=line):
        from_list("x", kind, shape, data)
