"""An ONNX file that names the colour of a picture: small, and right for a reason."""

from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.export.description import FileDescription, describe_onnx

NAMES = ("red", "green", "blue")
SIDE = 8
DESCRIPTION = FileDescription(
    kind="classifier",
    network="colours",
    class_names=NAMES,
    image_size=(SIDE, SIDE),
    preprocessing="scale",
    inputs=("images",),
    outputs=("logits", "probabilities"),
)


def write_colour_network(path: Path, sharpness: float = 5.0, **described: Any) -> Path:
    """Writes a network whose logits are the mean of each channel, in [-1, 1], times `sharpness`."""
    from onnx import TensorProto, helper, numpy_helper

    description = DESCRIPTION.replace(**described)
    batch = description.batch or "batch"
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["images"], ["means"], axes=[1, 2], keepdims=0),
            helper.make_node("Mul", ["means", "sharpness"], ["logits"]),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ],
        "colours",
        [value("images", TensorProto.FLOAT, [batch, SIDE, SIDE, 3])],
        [value(name, TensorProto.FLOAT, [batch, 3]) for name in ("logits", "probabilities")],
        [numpy_helper.from_array(np.float32(sharpness), "sharpness")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    describe_onnx(model, description)
    path.write_bytes(model.SerializeToString())
    return path


def expected_scores(pixels: np.ndarray, sharpness: float = 5.0) -> np.ndarray:
    """Returns the probabilities of one picture of `SIDE` pixels."""
    logits = sharpness * (pixels.astype("float64") / 127.5 - 1).mean((0, 1))
    values = np.exp(logits - logits.max())
    return values / values.sum()


def picture(red: int, green: int, blue: int, size: tuple[int, int] = (SIDE, SIDE)) -> np.ndarray:
    """Returns a picture of one colour, `(*size, 3)`, uint8."""
    return np.full((*size, 3), (red, green, blue), np.uint8)
