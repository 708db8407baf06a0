"""Every kind of node, computed and with the shape foretold, against Keras's own operations."""

from typing import Any

import numpy as np
import pytest
from keras import ops

from nasnet_keras.export.graph import Graph, compute, nodes, shapes

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(2, 7, 10, 3)).astype("float32")
KERNEL = GENERATOR.normal(size=(3, 2, 3, 4)).astype("float32")
DEPTHWISE = GENERATOR.normal(size=(3, 5, 3)).astype("float32")
BIAS = GENERATOR.normal(size=4).astype("float32")
SCALE, OFFSET = GENERATOR.normal(size=(2, 3)).astype("float32")


def conv(*arguments: Any) -> Any:
    return ops.conv(X, KERNEL, *arguments)


def depthwise(*arguments: Any) -> Any:
    return ops.depthwise_conv(X, DEPTHWISE[..., None], *arguments)


def normalized(axes: tuple[int, ...]) -> Any:
    mean, variance = ops.moments(X, axes, keepdims=True)
    return (X - mean) / ops.sqrt(variance + 0.1) * SCALE + OFFSET


def padded(rows: list[int], columns: list[int]) -> Any:
    return ops.pad(X, [[0, 0], rows, columns, [0, 0]])


CONVOLUTION = {"kernel": KERNEL}
DEPTHWISE_CONVOLUTION = {"kernel": DEPTHWISE}
NORM = {"scale": SCALE, "offset": OFFSET, "epsilon": 0.1}
VALID = {"padding": "valid"}
TWO = {"strides": (2, 2)}
DILATED = {"dilation": (2, 2)}
CASES = [
    (nodes.Convolution, CONVOLUTION | {"bias": BIAS}, lambda: conv(1, "same") + BIAS),
    (nodes.Convolution, CONVOLUTION | TWO, lambda: conv(2, "same")),
    (nodes.Convolution, CONVOLUTION | TWO | VALID, lambda: conv(2, "valid")),
    (nodes.Convolution, CONVOLUTION | DILATED, lambda: conv(1, "same", None, 2)),
    (
        nodes.Depthwise,
        DEPTHWISE_CONVOLUTION | {"bias": SCALE},
        lambda: depthwise(1, "same") + SCALE,
    ),
    (nodes.Depthwise, DEPTHWISE_CONVOLUTION | TWO, lambda: depthwise(2, "same")),
    (nodes.Depthwise, DEPTHWISE_CONVOLUTION | TWO | VALID, lambda: depthwise(2, "valid")),
    (nodes.Depthwise, DEPTHWISE_CONVOLUTION | DILATED, lambda: depthwise(1, "same", None, 2)),
    (nodes.Dense, {"kernel": KERNEL[0, 0], "bias": BIAS}, lambda: X @ KERNEL[0, 0] + BIAS),
    (nodes.Affine, {"scale": SCALE}, lambda: X * SCALE),
    (nodes.Affine, {"scale": SCALE, "offset": OFFSET}, lambda: X * SCALE + OFFSET),
    (nodes.LayerNorm, NORM, lambda: normalized((3,))),
    (nodes.InstanceNorm, NORM, lambda: normalized((1, 2))),
    (nodes.Relu, {}, lambda: ops.relu(X)),
    (nodes.Relu, {"maximum": 0.5}, lambda: ops.clip(X, 0.0, 0.5)),
    (nodes.Clip, {"minimum": -0.5, "maximum": 0.25}, lambda: ops.clip(X, -0.5, 0.25)),
    (nodes.Softmax, {}, lambda: ops.softmax(X)),
    (nodes.Sigmoid, {}, lambda: ops.sigmoid(X)),
    (nodes.AveragePool, {"window": (3, 3)}, lambda: ops.average_pool(X, 3, 1, "same")),
    (nodes.AveragePool, {"window": (3, 3)} | TWO, lambda: ops.average_pool(X, 3, 2, "same")),
    (nodes.AveragePool, {"window": (3, 3)} | VALID, lambda: ops.average_pool(X, 3, 1, "valid")),
    (nodes.MaxPool, {"window": (3, 2)} | TWO, lambda: ops.max_pool(X - 9, (3, 2), 2, "same") + 9),
    (nodes.MaxPool, {"window": (2, 3)} | VALID, lambda: ops.max_pool(X, (2, 3), 1, "valid")),
    (nodes.GlobalAveragePool, {}, lambda: ops.mean(X, (1, 2))),
    (nodes.GlobalMaxPool, {}, lambda: ops.max(X, (1, 2))),
    (nodes.Channels, {"start": 1, "stop": 3}, lambda: X[..., 1:3]),
    (nodes.Pad, {"before": (0, 1), "after": (2, 3)}, lambda: padded([0, 2], [1, 3])),
    (nodes.Shift, {"by": (1, 2)}, lambda: padded([0, 1], [0, 2])[:, 1:, 2:]),
    (nodes.Subsample, TWO, lambda: X[:, ::2, ::2]),
    (nodes.Reshape, {"shape": (-1, 6)}, lambda: ops.reshape(X, (2, 35, 6))),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), CASES)
def test_a_node_computes_what_keras_does(kind: Any, fields: Any, expected: Any) -> None:
    graph = Graph((x_of(X), kind(name="node", inputs=("x",), **fields)), {"y": "node"})
    result = compute(graph, {"x": X})["y"]
    assert result.dtype == np.float64
    np.testing.assert_allclose(result, ops.convert_to_numpy(expected()), rtol=0, atol=2e-5)
    assert shapes(graph)["node"] == result.shape[1:]
    sizes_unknown = nodes.Input(name="x", shape=(None, None, 3))
    unknown = shapes(Graph((sizes_unknown, *graph.nodes[1:]), graph.outputs))["node"]
    assert [size for size in unknown if size] in ([result.shape[-1]], [])


def x_of(x: np.ndarray, name: str = "x") -> nodes.Input:
    return nodes.Input(name=name, shape=x.shape[1:])


def test_nodes_that_join_images() -> None:
    two = (x_of(X, "a"), x_of(X, "b"))
    images = {"a": X, "b": X[::-1] * 2}
    both = nodes.Concatenate(name="both", inputs=("a", "b", "a"))
    total = nodes.Add(name="sum", inputs=("a", "b"))
    graph = Graph((*two, both, total), {"both": "both", "sum": "sum"})
    result = compute(graph, images)
    np.testing.assert_array_equal(result["sum"], X.astype("float64") + images["b"])
    np.testing.assert_array_equal(result["both"], np.concatenate([X, images["b"], X], -1))
    assert shapes(graph) == {
        "a": (7, 10, 3),
        "b": (7, 10, 3),
        "both": (7, 10, 9),
        "sum": (7, 10, 3),
    }


@pytest.mark.parametrize(
    ("names", "outputs", "message"),
    [
        (("x", "x"), {}, "two nodes have the name 'x'"),
        (("y",), {}, "node 'y' reads 'x', which is not before it"),
        (("x",), {"z": "y"}, "output 'z' is node 'y', which is not there"),
    ],
)
def test_a_graph_hangs_together(
    names: tuple[str, ...], outputs: dict[str, str], message: str
) -> None:
    given = tuple(
        x_of(X) if name == "x" else nodes.Relu(name=name, inputs=("x",)) for name in names
    )
    with pytest.raises(ValueError, match=message):
        Graph(given, outputs)
