"""The formats that a classifier is written in: in which file, in which precisions, and how."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.export.classifier_description import INPUT
from nasnet_keras.export.description import (
    FileDescription,
    describe_litert,
    describe_onnx,
    describe_openvino,
    describe_saved_model,
)
from nasnet_keras.export.graph import Graph
from nasnet_keras.export.graph.lowering import graph_of
from nasnet_keras.export.graph.nodes import Input
from nasnet_keras.export.graph.passes import optimized
from nasnet_keras.export.half_precision import onnx_in_float16
from nasnet_keras.export.onnx_preprocessing import add_preprocessing
from nasnet_keras.export.openvino_preprocessing import with_preprocessing
from nasnet_keras.export.output_files import CHANNEL_MULTIPLE, FileFormat
from nasnet_keras.export.quantization import QuantizationPictures, quantize
from nasnet_keras.export.saved_model import check_saved_model, write_saved_model
from nasnet_keras.models.inference import inference_model


@dataclass(frozen=True, eq=False)
class ClassifierSource:
    """A classifier that is exported, in the forms that files are made from.

    Attributes:
        trained: The classifier, in float32.
        precision: Of the files.
        preprocessing_inside: Whether the files take images of any size, uint8, and preprocess them.
        top_k: How many classes a SavedModel's `serve_bytes` returns.
        quantization: The pictures that int8 needs.
        max_accuracy_loss: How many points of accuracy int8 may lose.
        full_int8: Whether LiteRT's activations have 8 bits too.
    """

    trained: TrainedModel
    precision: str = "float32"
    preprocessing_inside: bool = False
    top_k: int = 5
    quantization: QuantizationPictures | None = None
    max_accuracy_loss: float = 1.0
    full_int8: bool = False

    @functools.cached_property
    def graph(self) -> Graph:
        """The network as data; its input is `images`."""
        return _named(graph_of(inference_model(self.trained.model)))

    def quantized(self, file_format: str, model: Any) -> Any:
        """Returns a network in 8 bits, a `Quantized`, where that is the precision; else itself."""
        if self.precision != "int8":
            return model
        assert self.quantization is not None
        return quantize(file_format, model, self.quantization, self.max_accuracy_loss)


@dataclass(frozen=True)
class ClassifierFormat(FileFormat):
    """A format of files with a classifier.

    Attributes:
        make: Makes what is written in memory, without preprocessing but LiteRT's; a `Quantized` of
            it where it is quantized.
        write: Writes it, with its description; to a temporary path of the first of `files`.
    """

    make: Callable[[ClassifierSource], Any]
    write: Callable[[ClassifierSource, Any, FileDescription, Path], None]


def _named(graph: Graph) -> Graph:
    """Returns a graph whose input is called `images`."""
    (given,) = graph.inputs
    nodes = []
    for node in graph.nodes:
        inputs = tuple(INPUT if name == given.name else name for name in node.inputs)
        name = INPUT if isinstance(node, Input) else node.name
        nodes.append(replace(node, name=name, inputs=inputs))
    return graph.replace(nodes)


def _make_onnx(source: ClassifierSource) -> Any:
    from nasnet_keras.export.graph.onnx_writer import write_onnx

    model = write_onnx(optimized(source.graph, CHANNEL_MULTIPLE), source.trained.model.name)
    if source.precision == "float16":
        model = onnx_in_float16(model)
    return source.quantized("onnx", model)


def _write_onnx(
    source: ClassifierSource, model: Any, description: FileDescription, path: Path
) -> None:
    if source.preprocessing_inside:
        add_preprocessing(model, source.trained.preprocessing_name, source.trained.image_size)
    describe_onnx(model, description)
    path.write_bytes(model.SerializeToString())


def _make_openvino(source: ClassifierSource) -> Any:
    from nasnet_keras.export.graph.onnx_writer import write_onnx
    from nasnet_keras.export.graph.openvino_writer import openvino_model

    graph = optimized(source.graph, CHANNEL_MULTIPLE if source.precision == "bfloat16" else 1)
    model = openvino_model(write_onnx(graph, source.trained.model.name))
    return source.quantized("openvino", model)


def _write_openvino(
    source: ClassifierSource, model: Any, description: FileDescription, path: Path
) -> None:
    from nasnet_keras.export.graph.openvino_writer import save_openvino

    if source.preprocessing_inside:
        trained = source.trained
        model = with_preprocessing(model, trained.preprocessing_name, trained.image_size)
    describe_openvino(model, description)
    # What computes in 16 bits is stored so too.
    save_openvino(model, path, source.precision in ("float16", "bfloat16"))


def _make_litert(source: ClassifierSource) -> Any:
    import tensorflow as tf

    from nasnet_keras.export.graph.tensorflow_writer import litert_converter, tensorflow_function

    trained = source.trained

    def prepare(images: Any) -> Any:
        return preprocess(images, trained.preprocessing_name, trained.image_size)

    function = tensorflow_function(
        optimized(source.graph), prepare=prepare if source.preprocessing_inside else None
    )
    if source.precision == "int8":
        return source.quantized("litert" if source.full_int8 else "litert_dynamic", function)
    converter = litert_converter(function)
    if source.precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def _write_litert(
    source: ClassifierSource, content: bytes, description: FileDescription, path: Path
) -> None:
    path.write_bytes(describe_litert(content, description))


def _write_saved_model(
    source: ClassifierSource, made: None, description: FileDescription, path: Path
) -> None:
    write_saved_model(source.trained, path, source.top_k, source.preprocessing_inside)
    describe_saved_model(path, description)
    check_saved_model(source.trained, path, source.preprocessing_inside)


CLASSIFIER_FORMATS: Mapping[str, ClassifierFormat] = {
    # Today's network is the faster one in TensorFlow, and its gradient can be taken.
    "saved_model": ClassifierFormat(
        ("saved_model",), ("float32",), lambda source: None, _write_saved_model
    ),
    "onnx": ClassifierFormat(
        ("model.onnx",), ("float32", "float16", "int8"), _make_onnx, _write_onnx
    ),
    "openvino": ClassifierFormat(
        ("model.xml", "model.bin"),
        ("float32", "float16", "bfloat16", "int8"),
        _make_openvino,
        _write_openvino,
    ),
    "litert": ClassifierFormat(
        ("model.tflite",), ("float32", "float16", "int8"), _make_litert, _write_litert
    ),
}
