"""OpenVINO models in 8 bits, by NNCF."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from nasnet_keras.export.quantization.quantizer import Quantizer, Run, answer_name, layers_in_order
from nasnet_keras.export.quantization.rounding import RANKED_PICTURES, layer_errors

_DEPTHWISE = "GroupConvolution"
_WITH_WEIGHTS = ("Convolution", _DEPTHWISE, "MatMul")


class OpenVINOQuantizer(Quantizer):
    """An OpenVINO model of one input.

    Args:
        model: An `openvino.Model`.
        calibration: `(pictures, size, size, 3)`, float32, as the model takes them.
    """

    def __init__(self, model: Any, calibration: np.ndarray) -> None:
        self.model = model
        self._calibration = calibration
        self._nodes = {
            node.get_friendly_name(): node
            for node in model.get_ordered_ops()
            if node.get_type_name() in _WITH_WEIGHTS
        }
        depthwise = {
            name for name, node in self._nodes.items() if node.get_type_name() == _DEPTHWISE
        }
        self.layers = layers_in_order(list(self._nodes), depthwise)

    def quantize(self, kept: Collection[str]) -> Any:
        # Otherwise it reports its use to its makers.
        os.environ.setdefault("NNCF_CI", "1")
        import nncf

        # Its own function would set the level of handlers that others put there, too.
        logging.getLogger("nncf").setLevel(logging.ERROR)
        # Its progress goes to standard output.
        with contextlib.redirect_stdout(io.StringIO()):
            return nncf.quantize(
                self.model.clone(),
                nncf.Dataset(list(self._calibration[:, np.newaxis])),
                subset_size=len(self._calibration),
                ignored_scope=nncf.IgnoredScope(names=sorted(kept)),
            )

    def errors(self) -> Mapping[str, float]:
        watched = self.model.clone()
        nodes = {node.get_friendly_name(): node for node in watched.get_ops()}
        outputs = {}
        tensors = {}
        for name in self._nodes:
            ends = (nodes[name].input_value(0), nodes[name].output(0))
            for end in ends:
                outputs[_key(end)] = end
            tensors[name] = tuple(map(_key, ends))
        answers = len(watched.outputs)
        watched.add_outputs(list(outputs.values()))
        compiled = _compiled(watched)

        def of_pictures() -> Iterator[dict[str, np.ndarray]]:
            for picture in self._calibration[:RANKED_PICTURES, np.newaxis]:
                values = list(compiled(picture).to_tuple())[answers:]
                yield dict(zip(outputs, values, strict=True))

        return layer_errors(tensors, of_pictures(), channels=1)

    def runner(self, model: Any) -> Run:
        compiled = _compiled(model)
        # What is compiled calls its outputs by the names of other tensors, too.
        answer = compiled.output(answer_name([each.any_name for each in model.outputs]))

        def run(images: np.ndarray) -> np.ndarray:
            return np.asarray(compiled(images)[answer])

        return run


def _key(output: Any) -> str:
    return f"{output.get_node().get_friendly_name()}:{output.get_index()}"


def _compiled(model: Any) -> Any:
    import openvino

    # What is in float is to be the same as on other machines.
    return openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
