"""Images a second of a case: the best of a few batches, then blocks in turns."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

from accelerator.cases import Case, Sizes
from accelerator.compiled import Compiled, peak_bytes
from nasnet_keras.out_of_memory import is_out_of_memory

# A larger batch that gains less is the last one tried.
_WORTH_TRYING = 1.03
_MOST_STEPS = 200

Row = dict[str, Any]
Emit = Callable[[Row], None]


def measure_case(case: Case, sizes: Sizes, deadline: float, emit: Emit) -> None:
    """Measures training and inference of a case.

    Args:
        case: What to measure.
        sizes: How long to measure.
        deadline: `time.monotonic()` after which nothing new is begun.
        emit: Takes each row as soon as it is there.
    """
    from accelerator.network import MeasuredNetwork

    network = MeasuredNetwork(case)
    sides: dict[str, tuple[Compiled, int, Row]] = {}
    for mode, make, batches in (
        ("training", network.training, case.training_batches),
        ("inference", network.inference, case.inference_batches),
    ):
        row = {
            "side": "ours",
            "network": case.network,
            "size": network.recipe.train_image_size,
            "precision": case.precision,
            "mode": mode,
            "flops_per_image": network.flops(training=mode == "training"),
        }
        best = _best_batch(make, batches, sizes, deadline, lambda found, row=row: emit(row | found))
        if best:
            sides[mode] = (*best, row)
    seconds: dict[str, list[float]] = {mode: [] for mode in sides}
    for _ in range(sizes.rounds):
        for mode, (compiled, steps, _) in sides.items():
            seconds[mode].append(compiled.run(steps)[0] / steps)
    for mode, (compiled, steps, row) in sides.items():
        found = {"steps_of_a_block": steps, **_speed(compiled.batch, seconds[mode])}
        emit(row | _costs(compiled) | found | {"outcome": "measured in turns"})


def _best_batch(
    make: Callable[[int], Compiled],
    batches: tuple[int, ...],
    sizes: Sizes,
    deadline: float,
    emit: Emit,
) -> tuple[Compiled, int] | None:
    """Tries batches, the smallest first; half of it as long as it is too large for the memory.

    Returns:
        The fastest, and the steps of its blocks; `None` if there was memory or time for none.
    """
    best: tuple[Compiled, int] | None = None
    best_rate, longest, waiting = 0.0, 0.0, list(batches)
    while waiting:
        batch = waiting.pop(0)
        start = time.monotonic()
        if start + longest > deadline:
            emit({"batch": batch, "outcome": "no time left"})
            break
        gc.collect()
        peak = peak_bytes()
        try:
            compiled = make(batch)
            first, result = compiled.run(1)
            steps, seconds = _blocks(compiled, sizes)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            emit({"batch": batch, "outcome": "out of memory"})
            if best:
                break
            waiting = [batch // 2] if batch > 1 else []
            continue
        longest = time.monotonic() - start
        # The process's; that of this batch where none before it took more.
        new_peak = peak_bytes()
        emit(
            {
                **_costs(compiled),
                **_speed(batch, seconds),
                "first_call_seconds": first,
                "peak_bytes": new_peak if new_peak != peak else None,
                "loss": float(result["loss"]) if isinstance(result, dict) else None,
                "outcome": "measured",
            }
        )
        rate = batch / statistics.median(seconds)
        gain = rate / best_rate if best_rate else math.inf
        if gain > 1:
            best, best_rate = (compiled, steps), rate
        if gain < _WORTH_TRYING:
            break
    return best


def _blocks(compiled: Compiled, sizes: Sizes) -> tuple[int, list[float]]:
    """Returns how many steps make a block, and the seconds of a step in three blocks."""
    once, _ = compiled.run(1)
    steps = min(_MOST_STEPS, max(1, round(sizes.block_seconds / once)))
    return steps, [compiled.run(steps)[0] / steps for _ in range(3)]


def _costs(compiled: Compiled) -> Row:
    names = ("batch", "trace_seconds", "compile_seconds", "planned_bytes", "accessed_bytes")
    return {name: getattr(compiled, name) for name in names}


def _speed(batch: int, seconds: list[float]) -> Row:
    low, _, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "blocks": len(seconds),
        "step_seconds": statistics.median(seconds),
        "images_per_second": batch / statistics.median(seconds),
        "images_per_second_quartiles": [batch / high, batch / low],
    }
