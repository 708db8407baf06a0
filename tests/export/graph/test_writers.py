"""Files written from a graph compute what the interpreter does, at any size and batch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasnet_keras.export.graph import Graph, compute, nodes
from nasnet_keras.export.graph.onnx_builder import OnnxBuilder
from nasnet_keras.export.graph.onnx_writer import write_onnx
from nasnet_keras.export.graph.openvino_writer import openvino_model, save_openvino
from tests.export.graph.test_interpreter import CASES

Run = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]
GENERATOR = np.random.default_rng(1)


def onnx_runner(graph: Graph, batch: int | None = None) -> Run:
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(write_onnx(graph, batch=batch).SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return lambda feed: dict(zip(names, session.run(None, feed), strict=True))


def openvino_runner(graph: Graph, batch: int | None = None) -> Run:
    openvino = pytest.importorskip("openvino")
    model = openvino_model(write_onnx(graph, batch=batch))
    # Where a processor has bfloat16, it is the default.
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.compile_model(model, "CPU", exact)
    # What is compiled calls them by the names of other tensors, too.
    names = [output.any_name for output in model.outputs]
    return lambda feed: dict(zip(names, compiled(feed).to_tuple(), strict=True))


def tensorflow_runner(graph: Graph, batch: int | None = None) -> Run:
    from nasnet_keras.export.graph.tensorflow_writer import tensorflow_function

    function = tensorflow_function(graph, batch)
    return lambda feed: {name: x.numpy() for name, x in function(**feed).items()}


WRITERS = [
    onnx_runner,
    openvino_runner,
    pytest.param(tensorflow_runner, marks=pytest.mark.tensorflow),
]


def check(run: Run, graph: Graph, feed: Mapping[str, np.ndarray]) -> None:
    expected, found = compute(graph, feed), run(feed)
    assert set(found) == set(expected)
    for name, values in expected.items():
        scale = max(1.0, np.abs(values).max())
        np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-5 * scale)


def image(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype("float32")


@pytest.mark.parametrize("writer", WRITERS)
def test_every_node_at_any_size(writer: Callable[..., Run]) -> None:
    """One file with all kinds of node, each an output of its own."""
    inputs = nodes.Input(name="image", shape=(None, None, 3))
    cases = [
        kind(name=f"{kind.__name__}_{index}", inputs=("image",), **fields)
        for index, (kind, fields, _) in enumerate(CASES)
    ]
    pair = ("image", "Relu_13")
    cases += [
        nodes.Add(name="sum", inputs=pair),
        nodes.Concatenate(name="joined", inputs=("sum", *pair)),
    ]
    graph = Graph((inputs, *cases), {f"output_{node.name}": node.name for node in cases})
    run = writer(graph)
    for shape in ((1, 7, 10), (3, 8, 6), (2, 5, 8)):
        check(run, graph, {"image": image(*shape, 3)})


@pytest.mark.parametrize("writer", WRITERS)
def test_what_follows_pooled_features(writer: Callable[..., Run]) -> None:
    weights = image(4, 5), image(5)
    graph = Graph(
        (
            nodes.Input(name="features", shape=(4,)),
            nodes.Affine(name="scaled", inputs=("features",), scale=weights[0][:, 0]),
            nodes.Dense(name="dense", inputs=("scaled",), kernel=weights[0], bias=weights[1]),
            nodes.Dense(name="without_bias", inputs=("scaled",), kernel=weights[0]),
            nodes.Concatenate(name="joined", inputs=("dense", "without_bias")),
            nodes.Channels(name="some", inputs=("joined",), start=2, stop=8),
            nodes.Softmax(name="softmax", inputs=("some",)),
            nodes.Reshape(name="rows", inputs=("some",), shape=(3, 2)),
            nodes.Dense(name="of_rows", inputs=("rows",), kernel=weights[0][:2], bias=weights[1]),
            nodes.Reshape(name="square", inputs=("some",), shape=(2, 3, 1)),
            nodes.Dense(name="of_pixels", inputs=("square",), kernel=weights[0][:1]),
        ),
        {"probabilities": "softmax", "rows": "of_rows", "pixels": "of_pixels"},
    )
    for batch in (1, 3):
        check(writer(graph), graph, {"features": image(batch, 4)})


@pytest.mark.parametrize("writer", WRITERS)
def test_strided_convolutions_read_all_parts_of_one_tensor(writer: Callable[..., Run]) -> None:
    """Of such parts OpenVINO makes one split, whose pixels it cannot skip."""
    parts = [nodes.Channels(name=f"part_{i}", inputs=("x",), start=i, stop=i + 2) for i in (0, 2)]
    read = [nodes.Relu(name=f"relu_{part.name}", inputs=(part.name,)) for part in parts]
    strided = [
        nodes.Convolution(
            name=f"every_other_{i}", inputs=(part.name,), kernel=image(1, 1, 2, 3), strides=(2, 2)
        )
        for i, part in enumerate(read)
    ]
    graph = Graph(
        (nodes.Input(name="x", shape=(8, 8, 4)), *parts, *read, *strided),
        {node.name: node.name for node in strided},
    )
    check(writer(graph), graph, {"x": image(2, 8, 8, 4)})


@pytest.mark.parametrize("size", [(9, 12), (8, 7)])
def test_known_sizes_are_padded_by_numbers(size: tuple[int, int]) -> None:
    """So that runtimes without automatic padding read the file, and strides may be dilated."""
    graph = Graph(
        (
            nodes.Input(name="image", shape=(*size, 2)),
            nodes.Convolution(
                name="strided", inputs=("image",), kernel=image(5, 3, 2, 4), strides=(2, 1)
            ),
            nodes.AveragePool(name="pooled", inputs=("strided",), window=(3, 3), strides=(2, 2)),
            nodes.Convolution(
                name="both",
                inputs=("image",),
                kernel=image(3, 3, 2, 2),
                strides=(2, 2),
                dilation=(2, 2),
            ),
        ),
        {"pooled": "pooled", "both": "both"},
    )
    model = write_onnx(graph, batch=2)
    assert not any(a.name == "auto_pad" for node in model.graph.node for a in node.attribute)
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] == [2, *size, 2]
    check(onnx_runner(graph, 2), graph, {"image": image(2, *size, 2)})


def test_a_window_strided_and_dilated_needs_a_size() -> None:
    pytest.importorskip("onnx")
    kernel = image(3, 3, 2, 2)
    graph = Graph(
        (
            nodes.Input(name="image", shape=(None, 8, 2)),
            nodes.Convolution(
                name="both", inputs=("image",), kernel=kernel, strides=(2, 2), dilation=(2, 2)
            ),
        ),
        {"both": "both"},
    )
    with pytest.raises(ValueError, match=r"needs an image of known size, got .*\(None, 8\)"):
        write_onnx(graph)


@pytest.mark.tensorflow
def test_litert_has_every_node() -> None:
    from nasnet_keras.export.graph.tensorflow_writer import litert_converter, tensorflow_function

    inputs = nodes.Input(name="image", shape=(7, 10, 3))
    cases: list[Any] = [
        kind(name=f"{kind.__name__}_{index}", inputs=("image",), **fields)
        for index, (kind, fields, _) in enumerate(CASES)
    ]
    graph = Graph((inputs, *cases), {f"output_{node.name}": node.name for node in cases})
    file = litert_converter(tensorflow_function(graph, batch=2)).convert()
    runner = litert_interpreter(file).get_signature_runner()
    check(lambda feed: runner(**feed), graph, {"image": image(2, 7, 10, 3)})


def litert_interpreter(content: bytes) -> Any:
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        import tensorflow as tf

        return tf.lite.Interpreter(model_content=content)
    return Interpreter(model_content=content)


def test_openvino_keeps_the_order_of_equal_values() -> None:
    openvino = pytest.importorskip("openvino")
    values = (GENERATOR.integers(0, 5, (1, 300)) / 4).astype("float32")
    b = OnnxBuilder()
    _, places = b.add_many("TopK", "values", b.constant([50], "int64"), count=2)
    output = b.value(b.rename(places, "places"), [1, 50], "int64")
    model = openvino_model(b.model("order", [b.value("values", [1, 300])], [output]))
    found = openvino.compile_model(model, "CPU")([values])["places"]
    np.testing.assert_array_equal(found, np.argsort(-values, kind="stable")[:, :50])


def test_openvino_rounds_weights_only_where_asked(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    kernel = image(4, 5)
    graph = Graph(
        (
            nodes.Input(name="features", shape=(4,)),
            nodes.Dense(name="dense", inputs=("features",), kernel=kernel),
        ),
        {"logits": "dense"},
    )
    for half, dtype in ((False, np.float32), (True, np.float16)):
        save_openvino(openvino_model(write_onnx(graph)), tmp_path / "model.xml", half)
        stored = (tmp_path / "model.bin").read_bytes()
        assert any(x.astype(dtype).tobytes() in stored for x in (kernel, kernel.T))
