"""Preprocessing inside an ONNX graph gives evaluation's numbers."""

import numpy as np
import pytest

from nasnet_keras.data.preprocessing import PREPROCESSINGS, preprocess

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def session(name, size):
    """A network that returns what it is given, behind preprocessing."""
    from nasnet_keras.export.onnx_preprocessing import add_preprocessing

    sides = ["batch", size, size, 3]
    given, answer = (
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, sides) for name in "xy"
    )
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "g", [given], [answer]),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )
    add_preprocessing(model, name, size)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )


@pytest.mark.parametrize("name", PREPROCESSINGS)
def test_images_of_any_size_become_evaluation_s(name):
    run = session(name, 24).run
    for seed, (height, width) in enumerate(
        [(24, 24), (31, 77), (16, 15), (100, 25), (1, 1), (25, 8)]
    ):
        shape = (1 + seed % 3, height, width, 3)
        images = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
        expected = np.asarray(preprocess(images, name, 24))
        (found,) = run(None, {"x": images})
        np.testing.assert_allclose(found, expected, atol=1e-4, err_msg=f"{height} x {width}")


def test_an_even_image_is_not_divided_by_nothing():
    (found,) = session("whiten", 8).run(None, {"x": np.full((1, 8, 8, 3), 7, np.uint8)})
    assert not found.any()
