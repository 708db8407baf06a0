"""Tensors of the Open Inference Protocol v2 as NumPy's arrays, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from nasnet_keras.text.plain_text import shown

_TYPES = {"FP32": "float32", "UINT8": "uint8", "INT32": "int32", "BYTES": "object"}
_NAMES = {np.dtype(kind): name for name, kind in _TYPES.items()}


def from_list(name: str, kind: str, shape: Sequence[int], data: Any) -> np.ndarray:
    """Returns a tensor as an array.

    Args:
        name: Its name, for messages.
        kind: Its data type, as the protocol calls it.
        shape: Its shape.
        data: Its values, flat or nested; of BYTES `bytes` or `str`.

    Raises:
        ValueError: The type is not taken, or the values have another type, range or number.
    """
    if kind not in _TYPES:
        raise ValueError(f"{name} is of type {', '.join(_TYPES)}, got {shown(kind)}")
    size = math.prod(shape)
    expected = f"{name} of {kind} and shape {list(shape)}"
    try:
        values = _converted(data, np.dtype(_TYPES[kind])).reshape(-1)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(f"{expected} has values of another type, range or depth") from None
    if any(side < 0 for side in shape) or len(values) != size:
        raise ValueError(f"{expected} has {size} values, got {len(values)}")
    if kind == "BYTES" and not all(isinstance(each, bytes | str) for each in values):
        raise ValueError(f"{expected} has values that are no bytes")
    return values.reshape(tuple(shape))


def _converted(data: Any, dtype: np.dtype) -> np.ndarray:
    if dtype.kind not in "iu":
        return np.asarray(data, dtype)
    wide = np.asarray(data, np.int64)
    values = wide.astype(dtype)
    # NumPy 1 wraps what is out of range, where NumPy 2 raises this error.
    if (values != wide).any():
        raise OverflowError
    return values


def to_list(array: np.ndarray) -> list[Any]:
    """Returns the values of a tensor, flat."""
    return array.reshape(-1).tolist()


def data_type(array: np.ndarray) -> str:
    """Returns the type of a tensor as the protocol calls it."""
    return _NAMES[array.dtype]
