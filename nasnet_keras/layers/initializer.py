"""slim's initializer, drawn on the host, and variables that need no random values."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import random
from collections.abc import Callable, Iterator
from statistics import NormalDist
from typing import Any

import keras
import numpy as np
from keras import ops

PACKAGE = "nasnet_keras"
"""The package under which the layers are registered with Keras."""

_QUANTILES = 1 << 16
_BLANK = contextvars.ContextVar("blank", default=False)


@contextlib.contextmanager
def blank_values() -> Iterator[None]:
    """Within the block, kernels begin as zeros: all of them are about to be read from a file.

    Drawing the 104 million values of the largest detector takes a third of building it.
    """
    token = _BLANK.set(True)
    try:
        yield
    finally:
        _BLANK.reset(token)


def unless_blank(initializer: Callable[..., Any]) -> Callable[..., Any]:
    """Returns an initializer that gives zeros within `blank_values`."""
    return lambda shape, dtype=None: (
        ops.zeros(shape, dtype) if _BLANK.get() else initializer(shape, dtype)
    )


@functools.cache
def _quantiles() -> np.ndarray:
    """Returns 65,536 equally likely values of a normal truncated at +-2, scaled to variance 1."""
    normal = NormalDist()
    low, high = normal.cdf(-2.0), normal.cdf(2.0)
    step = (high - low) / _QUANTILES
    positive = [normal.inv_cdf(low + (i + 0.5) * step) for i in range(_QUANTILES // 2, _QUANTILES)]
    values = np.array([-x for x in reversed(positive)] + positive)
    return (values / values.std()).astype("float32")


@keras.saving.register_keras_serializable(PACKAGE)
class FanOutTruncatedNormal(keras.initializers.Initializer):
    """Truncated normal of variance `2 / fan_out`, slim's initializer of every kernel.

    The same distribution as `keras.initializers.VarianceScaling(2.0, "fan_out",
    "truncated_normal")` to 16 bits, drawn with NumPy: a NASNet has hundreds of kernels of
    different shapes, each of which would be a program of its own to compile (JAX) or a slow
    rejection sampler (TensorFlow).

    Args:
        seed: Seed of the draw; `None` takes one that `keras.utils.set_random_seed` governs.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = random.randint(1, 10**9) if seed is None else seed

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        if _BLANK.get():
            return ops.zeros(shape, dtype or keras.config.floatx())
        fan_out = math.prod(shape[:-2]) * shape[-1]
        generator = np.random.Generator(np.random.SFC64(self.seed))
        draws = generator.integers(_QUANTILES, size=tuple(shape), dtype="uint16")
        table = _quantiles() * np.float32(math.sqrt(2.0 / fan_out))
        return ops.convert_to_tensor(table[draws], dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}
