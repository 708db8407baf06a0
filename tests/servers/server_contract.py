"""What each server does with the models of `make_repository`, asked by a real client."""

from __future__ import annotations

import base64
import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from nasnet_keras.serving import load_predictor
from tests.servers.rest_requests import ask, files, outputs, png, tensor
from tests.serving.colour_network import NAMES, SIDE, expected_scores, picture

_REQUESTS = 200
_FLAT_AFTER, _FLAT_REQUESTS = 600, 1500
_LEAST_GROWTH = 8.0
"""MiB; less is noise of allocators."""


class ServerContract:
    """Subclasses have a fixture `server`, a `RunningServer`, for the whole class."""

    def test_files_are_answered_with_names_and_scores_over_rest(self, server):
        client = triton_http.InferenceServerClient(f"127.0.0.1:{server.http}")
        pixels = picture(90, 200, 120, (11, 30))
        texts = np.asarray([base64.b64encode(png(pixels)).decode()], object)
        sent = triton_http.InferInput("image_bytes", [1], "BYTES")
        sent.set_data_from_numpy(texts, binary_data=False)
        wanted = [
            triton_http.InferRequestedOutput(name, binary_data=False)
            for name in ("names", "scores", "classes", "probabilities", "status")
        ]
        # Else the client says that it sends bytes, which KServe then looks for.
        headers = {"Content-Type": "application/json"}
        answer = client.infer("colours", [sent], outputs=wanted, headers=headers)
        expected = expected_scores(pixels)
        assert answer.as_numpy("names").tolist() == [["green", "blue", "red"]]
        assert answer.as_numpy("classes").tolist() == [[1, 2, 0]]
        np.testing.assert_allclose(answer.as_numpy("scores")[0], expected[[1, 2, 0]], rtol=1e-4)
        np.testing.assert_allclose(answer.as_numpy("probabilities")[0], expected, rtol=1e-4)
        assert answer.as_numpy("status").tolist() == [""]
        client.close()

    def test_files_are_answered_in_binary_over_grpc(self, server):
        client = triton_grpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
        sent = triton_grpc.InferInput("image_bytes", [3], "BYTES")
        encoded = [png(picture(250, 0, 0)), b"no image", png(picture(0, 0, 250, (70, 9)))]
        sent.set_data_from_numpy(np.asarray(encoded, object))
        answer = client.infer("colours", [sent])
        names = answer.as_numpy("names")[:, 0].tolist()
        assert names == [b"red", b"", b"blue"]
        assert answer.as_numpy("classes")[1].tolist() == [-1, -1, -1]
        assert answer.as_numpy("scores")[1].tolist() == [0, 0, 0]
        status = [each.decode() for each in answer.as_numpy("status")]
        assert status[0] == status[2] == "" and "no image of a format that is read" in status[1]
        client.close()

    def test_tensors_are_answered_as_pixels_and_as_the_network_takes_them(self, server):
        pixels = picture(20, 30, 240, (5, 6))
        images = np.full((2, SIDE, SIDE, 3), (-1, 0.9, -1), "float32")
        client = triton_grpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
        for values, kind, best in ((pixels[None], "UINT8", ["blue"]), (images, "FP32", ["green"])):
            sent = triton_grpc.InferInput("images", list(values.shape), kind)
            sent.set_data_from_numpy(values)
            found = client.infer("colours", [sent]).as_numpy("names")[:, 0]
            assert [each.decode() for each in found] == best * len(values)
            code, answer = ask(server, "colours", tensor("images", kind, values))
            assert code == 200
            assert outputs(answer)["names"][:, 0].tolist() == best * len(values)
        client.close()

    def test_a_detector_answers_with_boxes_in_the_pictures_own_pixels(self, server, repository):
        rows = np.random.default_rng(0).integers(90, 160, (64, 64, 3)).astype(np.uint8)
        rows[8:40, 16:48] = (250, 20, 20)
        large = np.repeat(np.repeat(rows, 2, 0), 3, 1)
        predictor = load_predictor(repository / "boxes" / "1" / "model.onnx", min_score=0.0)
        code, answer = ask(server, "boxes", files(png(rows), b"GIF89a", png(large)))
        assert code == 200
        found = outputs(answer)
        assert found["count"].tolist()[1] == 0 and "not a readable" in found["status"][1]
        for row, pixels in ((0, rows), (2, large)):
            expected = predictor.predict(pixels)
            count = found["count"][row]
            assert count == len(expected) > 0
            assert found["names"][row, :count].tolist() == list(expected.names)
            np.testing.assert_allclose(found["boxes"][row, :count], expected.boxes, atol=1e-2)
            np.testing.assert_allclose(found["scores"][row, :count], expected.scores, atol=1e-4)
        images = rows[np.newaxis].astype("float32")
        sizes = np.asarray([[64, 64]], "float32")
        code, answer = ask(
            server,
            "boxes",
            tensor("images", "FP32", images),
            tensor("image_sizes", "FP32", sizes),
        )
        direct = outputs(answer)
        count = direct["count"][0]
        assert code == 200 and count == len(predictor.predict(rows))
        np.testing.assert_allclose(direct["boxes"][0, :count], found["boxes"][0, :count], atol=1e-2)

    def test_a_request_has_an_id_whether_it_brings_one_or_not(self, server):
        sent = files(png(picture(0, 250, 0)))
        _, first = ask(server, "colours", sent)
        _, second = ask(server, "colours", sent)
        assert first["id"] and second["id"] and first["id"] != second["id"]
        assert ask(server, "colours", sent, id="mine")[1]["id"] == "mine"

    @pytest.mark.parametrize(
        ("inputs", "line"),
        [
            ([tensor("image_bytez", "BYTES", ["x"])], "unknown input 'image_bytez'"),
            ([tensor("images", "FP32", np.zeros((1, 4, 4, 3)))], "(batch, 8, 8, 3), got"),
            ([tensor("images", "FP32", np.full((1, 8, 8, 3), 2e4))], "no number from -10,000"),
            ([tensor("images", "INT32", np.ones((1, 8, 8, 3)))], "FP32 or UINT8, got int32"),
            ([tensor("images", "UINT8", [300], [1, 1, 1, 1])], "another type, range or depth"),
            ([tensor("images", "UINT8", [1, 2], [1, 1, 1, 3])], "has 3 values, got 2"),
            ([tensor("image_bytes", "BYTES", ["x"] * 257)], "1 to 256 images, got 257"),
            ([files(b"x"), tensor("images", "FP32", [])], "one input of image_bytes and images"),
        ],
    )
    def test_a_wrong_request_is_told_what_is_wrong(self, server, inputs, line):
        code, answer = ask(server, "colours", *inputs)
        assert code == 400 and line in answer["error"], answer
        assert "\n" not in answer["error"]

    def test_an_unknown_output_is_told(self, server):
        sent = files(png(picture(0, 0, 9)))
        code, answer = ask(server, "colours", sent, outputs=[{"name": "name"}])
        assert code == 400 and "unknown output 'name'; did you mean 'names'" in answer["error"]

    def test_a_wrong_request_over_grpc_fails_alone(self, server):
        client = triton_grpc.InferenceServerClient(f"127.0.0.1:{server.grpc}")
        sent = triton_grpc.InferInput("images", [1, 4, 4, 3], "FP32")
        sent.set_data_from_numpy(np.zeros((1, 4, 4, 3), "float32"))
        with pytest.raises(InferenceServerException, match=r"\(batch, 8, 8, 3\), got"):
            client.infer("colours", [sent])
        assert client.is_model_ready("colours")
        client.close()

    def test_concurrent_requests_are_each_answered_for_themselves(self, server):
        """Every fifth is wrong as a whole, every seventh has a bad file."""
        colours = [picture(*(250 * np.eye(3, dtype=int)[i % 3]), (4 + i, 9)) for i in range(30)]

        def send(index):
            if index % 5 == 0:
                return ask(server, "colours", tensor("images", "FP32", np.zeros((1, 2, 2, 3))))
            encoded = [png(colours[index % 30]), png(colours[(index + 1) % 30])]
            if index % 7 == 0:
                encoded[0] = encoded[0][: len(encoded[0]) // 2]
            return ask(server, "colours", files(*encoded), id=str(index))

        with ThreadPoolExecutor(_REQUESTS) as threads:
            answers = list(threads.map(send, range(_REQUESTS)))
        for index, (code, answer) in enumerate(answers):
            if index % 5 == 0:
                assert code == 400 and "got (1, 2, 2, 3)" in answer["error"]
                continue
            assert code == 200 and answer["id"] == str(index)
            found = outputs(answer)
            assert found["names"][1, 0] == NAMES[(index + 1) % 30 % 3]
            assert found["status"][1] == ""
            if index % 7 == 0:
                assert found["status"][0] and found["classes"][0].tolist() == [-1, -1, -1]
            else:
                assert found["names"][0, 0] == NAMES[index % 30 % 3] and found["status"][0] == ""

    def test_memory_stays_where_it_is(self, server):
        good = [png(np.full((300 + i, 200, 3), i, np.uint8)) for i in range(8)]

        def send(index):
            bad = [b"", good[0][:50]] if index % 3 == 0 else []
            assert ask(server, "colours", files(good[index % 8], *bad))[0] == 200

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(send, range(_FLAT_AFTER)))
            before = server.memory()
            list(threads.map(send, range(_FLAT_REQUESTS)))
        assert server.memory() < before + _LEAST_GROWTH

    def test_the_tensors_of_a_model_are_described(self, server):
        url = f"http://127.0.0.1:{server.http}/v2/models/colours"
        with urllib.request.urlopen(url) as reply:
            described = json.load(reply)
        inputs = {each["name"]: (each["datatype"], each["shape"]) for each in described["inputs"]}
        assert inputs == {"image_bytes": ("BYTES", [-1]), "images": ("FP32", [-1, 8, 8, 3])}
        shapes = {each["name"]: each["shape"] for each in described["outputs"]}
        assert shapes["names"] == [-1, 3] and shapes["status"] == [-1]
