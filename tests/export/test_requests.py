"""What a server with an exported SavedModel answers to requests, bad and good ones."""

import base64
import io
import json
import re
import struct
from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.data.preprocessing import preprocess
from tests.export.encoded_pictures import NAMES, encode, expected_probabilities
from tests.export.stranger import ask

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written by TensorFlow"),
]


def images_of(*shape, value=0.0):
    return {"images": np.full(shape, value, np.float32)}


def bytes_of(*files):
    array = np.empty(len(files), object)
    array[:] = files
    return {"image_bytes": array}


SHAPES = (
    *((16, 16, 3), (), (16,), (0,), (1, 1, 16, 16, 3), (1, 16, 16), (1, 15, 16, 3), (1, 17, 17, 3)),
    *((1, 16, 16, 1), (1, 16, 16, 4), (1, 0, 0, 3), (1, 16, 16, 0), (1, 3, 16, 16), (1, 1, 1, 3)),
)
OTHER_SIZE = "is not compatible with expected shape [?,16,16,3]"
OTHER_TYPE = "expect"
NO_NUMBER = "images has a value that is no number from -10,000 to 10,000"
NOT_A_VECTOR = "is not compatible with expected shape [?]"
WRONG = (
    *((images_of(*shape), OTHER_SIZE) for shape in SHAPES),
    ({"images": np.zeros((1, 16, 16, 3), int)}, OTHER_TYPE),
    ({"images": np.zeros((1, 16, 16, 3))}, OTHER_TYPE),
    (images_of(0, 16, 16, 3), "images is empty"),
    *((images_of(2, 16, 16, 3, value=value), NO_NUMBER) for value in (np.nan, np.inf, -1e38)),
    (bytes_of(), "image_bytes is empty"),
    ({"image_bytes": bytes_of(b"")["image_bytes"].reshape(1, 1)}, NOT_A_VECTOR),
    ({"image_bytes": bytes_of(b"")["image_bytes"].reshape(())}, NOT_A_VECTOR),
    ({"image_bytes": np.zeros(1, int)}, OTHER_TYPE),
)


def damaged_files(pictures):
    random = np.random.default_rng(2)
    whole = [encode(pictures[0], kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF")]
    for number in range(120):
        damaged = bytearray(whole[number % len(whole)])
        for place in random.integers(0, min(len(damaged), 8 << random.integers(8)), 3):
            damaged[place] = random.integers(256)
        kept = len(damaged) if number % 3 else int(random.integers(len(damaged)))
        yield bytes(damaged[:kept])


@pytest.fixture(scope="module")
def answers(saved, pictures):
    """What one server answers to all requests below, by kind; the good ones come last."""
    png, jpeg = encode(pictures[0]), encode(pictures[1], "JPEG")
    large = png[:16] + struct.pack(">II", 30000, 30000) + png[24:]
    mixed = bytes_of(png, encode(pictures[0], "GIF"), b"", b"<html>", large, jpeg)
    kinds = {
        "wrong": [request for request, _ in WRONG],
        "damaged": [bytes_of(encoded) for encoded in damaged_files(pictures)],
        "corrupt": [bytes_of(png, jpeg[: len(jpeg) // 2])],
        "mixed": [mixed],
        "alone": [bytes_of(png), bytes_of(jpeg)],
        "good": [{"images": np.asarray(preprocess(pictures, "scale", 16))}],
    }
    found = iter(ask(saved, [request for requests in kinds.values() for request in requests]))
    return {kind: [next(found) for _ in requests] for kind, requests in kinds.items()}


def test_wrong_requests_fail_by_themselves_and_the_server_goes_on(answers, trained, pictures):
    for (request, message), pair in zip(WRONG, answers["wrong"], strict=True):
        for answer in pair:
            assert isinstance(answer, str) and message in answer, request
    expected = expected_probabilities(trained, pictures)
    for answer in answers["good"][0]:
        np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-5)


def test_bad_files_have_a_status_and_the_good_ones_their_answer(answers):
    held = ("a GIF image", "no bytes", "no known image", "an image of 30000 x 30000 pixels")
    first, last = answers["alone"]
    for mode in range(2):
        mixed = answers["mixed"][0][mode]
        status = [line.decode() for line in mixed["status"]]
        assert status[0] == status[5] == ""
        for line, what in zip(status[1:5], held, strict=True):
            assert line.startswith(f"image_bytes holds {what}, but serve_bytes takes ")
        assert mixed["classes"][1:5].tolist() == [[-1] * 3] * 4
        assert mixed["names"][1:5].tolist() == [[b""] * 3] * 4
        assert mixed["scores"][1:5].tolist() == [[0.0] * 3] * 4
        for row, alone in ((0, first[mode]), (5, last[mode])):
            assert alone["status"].tolist() == [b""]
            assert mixed["classes"][row].tolist() == alone["classes"][0].tolist()
            assert mixed["names"][row].tolist() == alone["names"][0].tolist()
            np.testing.assert_allclose(mixed["scores"][row], alone["scores"][0], rtol=1e-5)
        # Only the decoder notices that this one is not whole.
        assert "Invalid JPEG data" in answers["corrupt"][0][mode]


def test_no_damage_to_a_file_ends_the_server(answers):
    answered = [pair for pair in answers["damaged"] if not isinstance(pair[0], str)]
    assert len(answered) > 40
    for found, of_session in answered:
        assert found["status"].tolist() == of_session["status"].tolist()
        assert np.isfinite(found["scores"]).all()


def as_json(value):
    if isinstance(value, bytes):
        return value.decode()
    return [as_json(each) for each in value] if value.dtype == object else value.tolist()


def served_as_json(signatures, body):
    """Answers a request's JSON as TensorFlow Serving does: rows in, rows out."""
    request = json.loads(body)
    signature = signatures[request["signature_name"]]
    columns = {}
    for name, spec in signature.structured_input_signature[1].items():
        rows = [row[name] for row in request["instances"]]
        if spec.dtype == tf.string:
            rows = [base64.b64decode(row["b64"], validate=True) for row in rows]
        columns[name] = tf.constant(rows, spec.dtype)
    found = {name: value.numpy() for name, value in signature(**columns).items()}
    rows = [
        {name: as_json(value[row]) for name, value in found.items()}
        for row in range(len(request["instances"]))
    ]
    return json.dumps({"predictions": rows}, allow_nan=False).encode()


def test_clients_of_the_documentation_get_their_answers(
    saved, trained, pictures, tmp_path, monkeypatch
):
    page = (Path(__file__).parents[2] / "docs/serving.md").read_text()
    block = next(
        text for text in re.findall(r"```py\n(.*?)```", page, re.DOTALL) if "urlopen" in text
    )
    client = {}
    exec(compile(block, "docs/serving.md", "exec"), client)
    signatures = tf.saved_model.load(str(saved)).signatures
    client["urlopen"] = lambda request: io.BytesIO(served_as_json(signatures, request.data))
    (tmp_path / "one.png").write_bytes(encode(pictures[0]))
    (tmp_path / "two.gif").write_bytes(encode(pictures[0], "GIF"))
    one, two = client["send_files"]([tmp_path / "one.png", tmp_path / "two.gif"])
    expected = expected_probabilities(trained, pictures)
    best = np.argsort(-expected[0])[:3].tolist()
    assert one["classes"] == best and one["names"] == [NAMES[place] for place in best]
    assert one["status"] == "" and "holds a GIF image" in two["status"]
    answers = client["send_images"](np.asarray(preprocess(pictures, "scale", 16)))
    found = [answer["probabilities"] for answer in answers]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    # What it sends for a detector.
    sent = {}
    client["predict"] = lambda name, rows: sent.update(name=name, rows=rows)
    client["send_padded_images"](np.zeros((2, 1, 1, 3)), [(1.0, 1.0), (1.0, 1.0)])
    assert json.loads(json.dumps(sent)) == {
        "name": "serving_default",
        "rows": [{"images": [[[0, 0, 0]]], "image_sizes": [1, 1]}] * 2,
    }
