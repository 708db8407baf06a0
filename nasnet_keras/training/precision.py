"""The precision in which new layers compute."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def precision(name: str) -> Iterator[None]:
    """Within the block, new layers compute in a precision.

    Args:
        name: A Keras dtype policy, e.g. `"mixed_bfloat16"`.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
