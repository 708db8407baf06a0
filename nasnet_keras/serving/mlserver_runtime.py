"""MLServer's runtime class: `"implementation": "nasnet_keras.serving.Runtime"`."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from mlserver import MLModel
from mlserver.errors import InferenceError
from mlserver.types import (
    Datatype,
    InferenceRequest,
    InferenceResponse,
    MetadataTensor,
    RequestInput,
    ResponseOutput,
)
from mlserver.utils import get_model_uri

from nasnet_keras.serving.open_inference import answer_request, input_tensors, output_tensors
from nasnet_keras.serving.predictor import load_predictor
from nasnet_keras.serving.tensors import data_type, from_list, to_list


class Runtime(MLModel):
    """Answers requests by a file of `load_predictor`, the `uri` of `model-settings.json`.

    Its `extra` may have `top_k`, `min_score` and `threads`, see `load_predictor`, all optional; by
    default a detector answers with all that it finds.
    """

    async def load(self) -> bool:
        parameters = self.settings.parameters
        extra: dict[str, Any] = {"min_score": 0.0} | ((parameters and parameters.extra) or {})
        self._predictor = load_predictor(await get_model_uri(self.settings), **extra)
        self.inputs = [_described(*tensor) for tensor in input_tensors(self._predictor)]
        self.outputs = [_described(*tensor) for tensor in output_tensors(self._predictor)]
        # More would only share the same cores, each with a picture in memory.
        self._threads = ThreadPoolExecutor(os.cpu_count(), "nasnet_keras")
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        # Health checks and other requests are answered meanwhile.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, payload)

    async def unload(self) -> bool:
        self._threads.shutdown(wait=False, cancel_futures=True)
        return True

    def _answer(self, payload: InferenceRequest) -> InferenceResponse:
        try:
            inputs = {each.name: _array(each) for each in payload.inputs}
            wanted = [each.name for each in payload.outputs or ()]
            found = answer_request(self._predictor, inputs, wanted)
        except ValueError as error:
            raise InferenceError(str(error)) from None
        return InferenceResponse(
            model_name=self.name,
            model_version=self.version,
            outputs=[
                ResponseOutput(
                    name=name,
                    shape=list(values.shape),
                    datatype=Datatype(data_type(values)),
                    data=to_list(values),  # type: ignore[arg-type]
                )
                for name, values in found.items()
            ],
        )


def _described(name: str, kind: str, shape: list[int]) -> MetadataTensor:
    return MetadataTensor(name=name, datatype=Datatype(kind), shape=shape)


def _array(tensor: RequestInput) -> np.ndarray:
    data = getattr(tensor.data, "root", tensor.data)
    return from_list(tensor.name, str(Datatype(tensor.datatype).value), tensor.shape, data)
