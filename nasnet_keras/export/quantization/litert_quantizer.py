"""LiteRT files in 8 bits, by TensorFlow's converter."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nasnet_keras.export.graph.tensorflow_writer import litert_converter
from nasnet_keras.export.quantization.quantizer import (
    Layer,
    Quantizer,
    Run,
    answer_name,
    layers_in_order,
)
from nasnet_keras.export.quantization.rounding import RANKED_PICTURES, layer_errors

_DEPTHWISE = "DEPTHWISE_CONV_2D"
_WITH_WEIGHTS = ("CONV_2D", _DEPTHWISE, "FULLY_CONNECTED")


class LiteRTDynamicQuantizer(Quantizer):
    """A network for LiteRT whose weights have 8 bits; activations get them while it runs.

    It needs no calibration, and no layer can be kept in float.

    Args:
        function: A concrete function of one input, see `tensorflow_function`.
    """

    layers: Sequence[Layer] = ()

    def __init__(self, function: Any) -> None:
        self._function = function
        self.model = litert_converter(function).convert()

    def quantize(self, kept: Collection[str]) -> Any:
        import tensorflow as tf

        converter = litert_converter(self._function)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return converter.convert()

    def errors(self) -> Mapping[str, float]:
        return {}

    def runner(self, model: Any) -> Run:
        return _runner(model)


class LiteRTQuantizer(Quantizer):
    """A network for LiteRT whose weights and activations have 8 bits.

    Args:
        function: A concrete function of one input, see `tensorflow_function`.
        calibration: `(pictures, size, size, 3)`, float32, as the network takes them.
    """

    def __init__(self, function: Any, calibration: np.ndarray) -> None:
        self._function = function
        self._calibration = calibration
        self._calibrated: Any = None
        self.model = litert_converter(function).convert()
        self._tensors: dict[str, tuple[str, ...]] = {}
        depthwise = set()
        for kind, given, answer in _operations(self.model):
            if kind in _WITH_WEIGHTS:
                self._tensors[answer] = (given, answer)
                depthwise |= {answer} if kind == _DEPTHWISE else set()
        self.layers = layers_in_order(list(self._tensors), depthwise)

    def quantize(self, kept: Collection[str]) -> Any:
        import tensorflow as tf

        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=sorted(kept))
        with warnings.catch_warnings():
            # It names the interpreter that we use, and uses another.
            warnings.simplefilter("ignore", UserWarning)
            if self._calibrated is None:
                converter = litert_converter(self._function)
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.representative_dataset = lambda: (
                    [picture] for picture in self._calibration[:, np.newaxis]
                )
                # The converter itself cannot leave out layers.
                self._calibrated = tf.lite.experimental.QuantizationDebugger(
                    converter=converter, debug_dataset=lambda: (), debug_options=options
                )
            else:
                self._calibrated.options = options
            return self._calibrated.get_nondebug_quantized_model()

    def errors(self) -> Mapping[str, float]:
        with warnings.catch_warnings():
            # It says how much memory this takes.
            warnings.simplefilter("ignore", UserWarning)
            interpreter = _interpreter(self.model, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
        wanted = {name for pair in self._tensors.values() for name in pair}
        places = {
            each["name"]: each["index"]
            for each in interpreter.get_tensor_details()
            if each["name"] in wanted
        }
        (given,) = interpreter.get_input_details()

        def of_pictures() -> Iterator[dict[str, np.ndarray]]:
            for picture in self._calibration[:RANKED_PICTURES, np.newaxis]:
                interpreter.set_tensor(given["index"], picture)
                interpreter.invoke()
                yield {name: interpreter.get_tensor(place) for name, place in places.items()}

        return layer_errors(self._tensors, of_pictures(), channels=-1)

    def runner(self, model: Any) -> Run:
        return _runner(model)


def _operations(file: bytes) -> Iterator[tuple[str, str, str]]:
    """Yields the name, first input and first output of each operation of a LiteRT file."""
    from ai_edge_litert import schema_py_generated as schema

    kinds = {
        code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
    }
    model = schema.Model.GetRootAs(file)
    graph = model.Subgraphs(0)
    for place in range(graph.OperatorsLength()):
        operator = graph.Operators(place)
        kind = kinds[model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()]
        ends = (operator.Inputs(0), operator.Outputs(0))
        given, answer = (graph.Tensors(each).Name().decode() for each in ends)
        yield kind, given, answer


def _interpreter(file: bytes, **options: Any) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_content=file, **options)


def _runner(file: bytes) -> Run:
    runner = _interpreter(file).get_signature_runner()
    (given,) = runner.get_input_details()
    answer = answer_name(list(runner.get_output_details()))

    def run(images: np.ndarray) -> np.ndarray:
        return np.asarray(runner(**{given: images})[answer])

    return run
