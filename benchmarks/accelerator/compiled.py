"""A function compiled for the device ahead of its first call, and what that took."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass
class Compiled:
    """A function with its arguments on the device.

    Attributes:
        step: Starts one call; returns what to wait for.
        batch: Images in a call.
        trace_seconds: From Python to XLA's input.
        compile_seconds: XLA's own time.
        planned_bytes: Memory that a call takes, as XLA plans it.
        accessed_bytes: Bytes that its operations read and write, as XLA counts them.
    """

    step: Callable[[], Any]
    batch: int
    trace_seconds: float
    compile_seconds: float
    planned_bytes: int | None
    accessed_bytes: float | None

    def run(self, steps: int) -> tuple[float, Any]:
        """Returns the seconds of so many calls, and what the last one returned."""
        import jax

        start = time.perf_counter()
        for _ in range(steps - 1):
            self.step()
        result = jax.block_until_ready(self.step())
        return time.perf_counter() - start, result


def compile_function(function: Any, *arguments: Any) -> tuple[Any, dict[str, Any]]:
    """Compiles a jitted function for its arguments.

    Returns:
        What to call, and the last four fields of `Compiled`.
    """
    start = time.perf_counter()
    lowered = function.lower(*arguments)
    traced = time.perf_counter()
    compiled = lowered.compile()
    end = time.perf_counter()
    memory, cost = compiled.memory_analysis(), compiled.cost_analysis()
    if isinstance(cost, list):
        # JAX 0.4.36 has one for each device's program.
        cost = cost[0]
    planned = memory and (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        - memory.alias_size_in_bytes
        + memory.temp_size_in_bytes
    )
    return compiled, {
        "trace_seconds": traced - start,
        "compile_seconds": end - traced,
        "planned_bytes": planned,
        "accessed_bytes": cost.get("bytes accessed") if cost else None,
    }


@contextlib.contextmanager
def on_host() -> Iterator[None]:
    """Within the block, arrays are made in the machine's memory.

    A network has a hundred shapes of weights: an accelerator would compile each one's initializer.
    """
    import jax

    with jax.default_device(jax.devices("cpu")[0]):
        yield


def on_device(arrays: Any) -> Any:
    """Returns copies of arrays, nested at will, in the device's memory."""
    import jax

    # A copy on the CPU too, where JAX 0.4.36 makes none for `may_alias=False`: a step that is given
    # its state frees it.
    return jax.device_put(jax.tree.map(jax.numpy.copy, arrays), jax.devices()[0])


def values(variables: Any) -> list[Any]:
    """Returns the arrays of Keras's variables."""
    return [variable.value for variable in variables]


def peak_bytes() -> int | None:
    """Returns the most device memory that the process has had; `None` where none is counted."""
    import jax

    return (jax.devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
