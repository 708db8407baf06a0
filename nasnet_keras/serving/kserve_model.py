"""KServe's model class over the predictor."""

from __future__ import annotations

import asyncio
import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from kserve import InferInput, InferOutput, InferRequest, InferResponse, Model
from kserve.errors import InvalidInput

from nasnet_keras.serving.open_inference import answer_request, input_tensors, output_tensors
from nasnet_keras.serving.predictor import load_predictor
from nasnet_keras.serving.tensors import data_type, from_list, to_list


class KServeModel(Model):
    """Answers requests of the Open Inference Protocol v2 by a file of `load_predictor`.

    Args:
        name: The model's name in requests.
        path: The file.
        **options: Of `load_predictor`; by default a detector answers with all that it finds.
    """

    def __init__(self, name: str, path: str | os.PathLike[str], **options: Any) -> None:
        super().__init__(name)
        self._predictor = load_predictor(path, **_options(options))
        # More would only share the same cores, each with a picture in memory.
        self._threads = ThreadPoolExecutor(os.cpu_count(), "nasnet_keras")
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        return [_described(*tensor) for tensor in input_tensors(self._predictor)]

    def get_output_types(self) -> list[dict[str, Any]]:
        return [_described(*tensor) for tensor in output_tensors(self._predictor)]

    async def predict(
        self, payload: Any, headers: Any = None, response_headers: Any = None
    ) -> InferResponse:
        if not isinstance(payload, InferRequest):
            raise InvalidInput("this model answers the Open Inference Protocol v2 only")
        # Health checks and other requests are answered meanwhile.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._answer, payload)

    def stop(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        super().stop()

    def _answer(self, payload: InferRequest) -> InferResponse:
        try:
            inputs = {each.name: _array(each) for each in payload.inputs}
            wanted = [each.name for each in payload.request_outputs or ()]
            found = answer_request(self._predictor, inputs, wanted)
        except ValueError as error:
            raise InvalidInput(str(error)) from None
        return InferResponse(
            # Without one, KServe's own response is invalid.
            response_id=payload.id or str(uuid.uuid4()),
            model_name=self.name,
            infer_outputs=[
                InferOutput(name, list(values.shape), data_type(values), to_list(values))
                for name, values in found.items()
            ],
            use_binary_outputs=payload.use_binary_outputs,
            requested_outputs=payload.request_outputs,
        )


def _options(given: dict[str, Any]) -> dict[str, Any]:
    return {"min_score": 0.0} | given


def _described(name: str, kind: str, shape: list[int]) -> dict[str, Any]:
    return {"name": name, "datatype": kind, "shape": shape}


def _array(tensor: InferInput) -> np.ndarray:
    if tensor._raw_data is None:
        data = tensor.data
    else:
        data = tensor.as_numpy()
    return from_list(tensor.name, tensor.datatype, tensor.shape, data)
