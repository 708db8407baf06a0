"""What the device itself can do: products of matrices, and passes over its memory."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from accelerator.cases import Sizes

_PRODUCTS = 10
_ROUNDS = 7


def describe_device() -> dict[str, Any]:
    """Returns the device and the versions, for the record."""
    import jax
    import jaxlib
    from measurement import environment

    device = jax.devices()[0]
    memory = (device.memory_stats() or {}).get("bytes_limit")
    return environment() | {
        "device": device.device_kind,
        "platform": device.platform,
        "devices": len(jax.devices()),
        "device_memory_bytes": memory,
        "jax": jax.__version__,
        "jaxlib": jaxlib.__version__,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        # With it, compilation may be none.
        "compilation_cache": bool(os.environ.get("JAX_COMPILATION_CACHE_DIR")),
    }


def measure_rates(sizes: Sizes) -> dict[str, Any]:
    """Measures the GEMM rate of each precision, and the memory's bandwidth.

    float32 is JAX's default for it, as in the networks: TF32 where the device has that.

    Returns:
        `gemm_float32` and `gemm_mixed_bfloat16` in FLOP/s, `bandwidth` in bytes/s.
    """
    import jax.numpy as jnp

    rates = {
        "gemm_float32": gemm_rate(sizes.matrix, jnp.float32),
        "gemm_mixed_bfloat16": gemm_rate(sizes.matrix, jnp.bfloat16),
    }
    return rates | {"bandwidth": bandwidth(sizes.array_bytes)}


def gemm_rate(side: int, dtype: Any) -> float:
    """Returns the FLOP/s of products of square matrices."""
    import jax

    key = jax.random.key(0)
    # So small that a chain of products stays finite.
    matrix = jax.random.normal(key, (side, side), dtype) / side**0.5

    def products(x: Any) -> Any:
        return jax.lax.fori_loop(0, _PRODUCTS, lambda _, x: x @ matrix, x)

    return 2.0 * side**3 * _PRODUCTS / _seconds(jax.jit(products), matrix)


def bandwidth(size: int) -> float:
    """Returns the bytes/s at which an array is read and another one written."""
    import jax
    import jax.numpy as jnp

    array = jnp.ones(size // 4, jnp.float32)
    return 2.0 * size / _seconds(jax.jit(lambda x: x * 2 + 1), array)


def _seconds(function: Callable[[Any], Any], argument: Any) -> float:
    """Returns the median time of a call; the first two compile and warm up."""
    times = []
    for _ in range(_ROUNDS + 2):
        start = time.perf_counter()
        function(argument).block_until_ready()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])
