"""ONNX models in 8 bits, by ONNX Runtime: the QDQ form, which other runtimes read as well."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nasnet_keras.export.graph.onnx_session import import_onnxruntime, open_onnx
from nasnet_keras.export.quantization.quantizer import Quantizer, Run, answer_name, layers_in_order
from nasnet_keras.export.quantization.rounding import RANKED_PICTURES, layer_errors

_WITH_WEIGHTS = ("Conv", "Gemm", "MatMul")
_BATCH = 10


class ONNXQuantizer(Quantizer):
    """An ONNX model of one input.

    Weights are signed, with a scale for each output channel; activations are unsigned, which ONNX
    Runtime's kernels for x86 want.

    Args:
        model: An `onnx.ModelProto`, or the path of one.
        calibration: `(pictures, size, size, 3)`, float32, as the model takes them.
    """

    def __init__(self, model: Any, calibration: np.ndarray) -> None:
        import onnx

        self.model = onnx.load(model) if isinstance(model, str | os.PathLike) else model
        self._calibration = calibration
        (graph_input,) = self.model.graph.input
        self._input = graph_input.name
        weights = {each.name for each in self.model.graph.initializer}
        nodes = [
            node
            for node in self.model.graph.node
            if node.op_type in _WITH_WEIGHTS and node.input[1] in weights
        ]
        names = [node.name for node in nodes]
        self._tensors = {node.name: (node.input[0], node.output[0]) for node in nodes}
        self.layers = layers_in_order(names, {node.name for node in nodes if _is_grouped(node)})

    def quantize(self, kept: Collection[str]) -> Any:
        import onnx

        # First, so that its telemetry is off.
        import_onnxruntime()
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.quant_utils import add_pre_process_metadata

        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        # It needs no preparation, and each call would advise one.
        add_pre_process_metadata(model)
        with tempfile.TemporaryDirectory() as folder:
            # Older versions lose the weights of a model that is no file.
            in_float, written = (Path(folder, name) for name in ("float.onnx", "int8.onnx"))
            onnx.save(model, in_float)
            quantize_static(
                in_float,
                written,
                _reader(self._input, self._calibration),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=list(kept),
                # A sum in 8 bits would round what a layer in float takes.
                op_types_to_quantize=list(_WITH_WEIGHTS) if kept else None,
            )
            return onnx.load(written)

    def errors(self) -> Mapping[str, float]:
        import onnx

        watched = onnx.ModelProto()
        watched.CopyFrom(self.model)
        names = sorted({name for pair in self._tensors.values() for name in pair})
        given = {self._input, *(each.name for each in self.model.graph.output)}
        watched.graph.output.extend(
            onnx.ValueInfoProto(name=name) for name in names if name not in given
        )
        session = open_onnx(watched.SerializeToString())

        def of_pictures() -> Iterator[dict[str, np.ndarray]]:
            computed = [name for name in names if name != self._input]
            for picture in self._calibration[:RANKED_PICTURES, np.newaxis]:
                values = session.run(computed, {self._input: picture})
                yield {self._input: picture, **dict(zip(computed, values, strict=True))}

        return layer_errors(self._tensors, of_pictures(), channels=1)

    def runner(self, model: Any) -> Run:
        session = open_onnx(model.SerializeToString())
        output = answer_name([each.name for each in session.get_outputs()])

        def run(images: np.ndarray) -> np.ndarray:
            return np.asarray(session.run([output], {self._input: images})[0])

        return run


def _is_grouped(node: Any) -> bool:
    return any(each.name == "group" and each.i > 1 for each in node.attribute)


def _reader(name: str, calibration: np.ndarray) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """Gives some pictures at a time, and `None` after the last."""

        def __init__(self) -> None:
            self._starts = iter(range(0, len(calibration), _BATCH))

        def get_next(self) -> dict[str, np.ndarray] | None:
            start = next(self._starts, None)
            return None if start is None else {name: calibration[start : start + _BATCH]}

    return Reader()
