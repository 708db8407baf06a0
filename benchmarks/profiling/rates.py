"""What the machine can do within the framework that is measured: products, passes over memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import keras

_PRODUCTS = 4
_ROUNDS = 7


def measure_rates(matrix: int, array_bytes: int, dtype: str) -> dict[str, float]:
    """Returns `gemm` in FLOP/s and `bandwidth` in bytes/s.

    Args:
        matrix: Side of the matrices that are multiplied.
        array_bytes: Size of the array that is passed over, larger than the caches.
        dtype: Of the matrices.
    """
    if keras.backend.backend() == "jax":
        import jax.numpy as jnp
        from accelerator.rates import bandwidth, gemm_rate

        return {
            "gemm": gemm_rate(matrix, jnp.dtype(dtype)),
            "bandwidth": bandwidth(array_bytes),
        }
    return {"gemm": _gemm_rate(matrix, dtype), "bandwidth": _bandwidth(array_bytes)}


def _gemm_rate(side: int, dtype: str) -> float:
    import tensorflow as tf

    # So small that a chain of products stays finite.
    matrix = tf.cast(tf.random.normal((side, side)) / side**0.5, dtype)

    def products() -> Any:
        x = matrix
        for _ in range(_PRODUCTS):
            x = x @ matrix
        return tf.reduce_sum(x)

    return 2.0 * side**3 * _PRODUCTS / _seconds(tf.function(products, autograph=False))


def _bandwidth(size: int) -> float:
    import tensorflow as tf

    # In place: new memory costs more than what is written to it.
    array, one = tf.Variable(tf.ones(size // 4)), tf.ones(size // 4)

    def add() -> None:
        array.assign_add(one, read_value=False)

    return 3.0 * size / _seconds(tf.function(add, autograph=False), lambda: array[0])


def _seconds(function: Callable[[], Any], result: Callable[[], Any] | None = None) -> float:
    """Returns the median time of a call, until its result is there; the first two warm up."""
    times = []
    for _ in range(_ROUNDS + 2):
        start = time.perf_counter()
        value = function()
        (value if result is None else result()).numpy()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])
