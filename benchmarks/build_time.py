"""How long do our networks take to build and to answer, beside keras.applications'?

Both sides run in one process and in turns, so that a busy machine slows both. Building: the median
over rounds, with random weights. First call: tracing and compiling a fresh function
(`tf.function`, or `jax.jit` on that backend) and running it once. Inference: its later calls.

    python benchmarks/build_time.py [--networks=Mobile,Large] [--batches=1,32] [--output=times.json]
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from absl import flags
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_NETWORKS = flags.DEFINE_list("networks", ["Mobile", "Large"], "Mobile, Large or both.")
_BATCHES = flags.DEFINE_list("batches", ["1", "32"], "Batch sizes of the inference.")
_ROUNDS = flags.DEFINE_integer("rounds", 5, "Rounds of building and of first calls.", lower_bound=1)
_SECONDS = flags.DEFINE_float(
    "seconds", 40.0, "Seconds of inference a network and batch size; at least 5 rounds."
)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")

SIZES = {"Mobile": 224, "Large": 331}


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    for name in _NETWORKS.value:
        if name not in SIZES:
            raise ValueError(f"--networks={name}: expected Mobile or Large")
    batches = [int(batch) for batch in _BATCHES.value]
    rows = []
    for name in _NETWORKS.value:
        rows += measure_build(name) + measure_inference(name, batches)
    Console(width=None if sys.stdout.isatty() else 200).print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def makers(name: str) -> dict[str, Callable[..., Any]]:
    import keras

    function = f"NASNet{name}"
    return {"ours": getattr(nk, function), "keras": getattr(keras.applications, function)}


def measure_build(name: str) -> list[dict[str, Any]]:
    """Times construction with random weights; the first round of each warms up and is left out."""
    import keras

    seconds: dict[str, list[float]] = {"ours": [], "keras": []}
    for _ in range(_ROUNDS.value + 1):
        for side, make in makers(name).items():
            keras.utils.clear_session(free_memory=True)
            gc.collect()
            start = time.perf_counter()
            model = make(weights=None)
            seconds[side].append(time.perf_counter() - start)
            del model
    return [summarize(name, "build", {side: times[1:] for side, times in seconds.items()})]


def measure_inference(name: str, batches: list[int]) -> list[dict[str, Any]]:
    """Times the first call and the later ones of each batch size."""
    import numpy as np

    rows = []
    models = {side: make(weights=None) for side, make in makers(name).items()}
    for batch in batches:
        shape = (batch, SIZES[name], SIZES[name], 3)
        images = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        first: dict[str, list[float]] = {"ours": [], "keras": []}
        later: dict[str, list[float]] = {"ours": [], "keras": []}
        answer = {}
        # The first round warms the framework up and is left out.
        for _ in range((_ROUNDS.value if batch == batches[0] else 0) + 1):
            for side, model in models.items():
                start = time.perf_counter()
                answer[side] = traced(model)
                answer[side](images)
                first[side].append(time.perf_counter() - start)
        end = time.perf_counter() + _SECONDS.value
        while len(later["ours"]) < 5 or time.perf_counter() < end:
            for side in models:
                start = time.perf_counter()
                answer[side](images)
                later[side].append(time.perf_counter() - start)
        if batch == batches[0]:
            calls = {side: times[1:] for side, times in first.items()}
            rows.append(summarize(name, f"first call, batch {batch}", calls))
        rows.append(summarize(name, f"inference, batch {batch}", later))
    return rows


def traced(model: Any) -> Callable[[Any], Any]:
    """Returns the model as one compiled function that has answered when it returns."""
    import keras

    if keras.backend.backend() == "jax":
        import jax

        weights = [v.value for v in model.trainable_variables]
        state = [v.value for v in model.non_trainable_variables]
        function = jax.jit(lambda w, s, x: model.stateless_call(w, s, x, training=False)[0])
        return lambda x: function(weights, state, x).block_until_ready()
    import tensorflow as tf

    function = tf.function(lambda x: model(x, training=False))
    return lambda x: function(tf.constant(x)).numpy()


def summarize(name: str, what: str, seconds: dict[str, list[float]]) -> dict[str, Any]:
    pairs = zip(seconds["ours"], seconds["keras"], strict=True)
    return {
        "network": f"NASNet{name}",
        "what": what,
        "runs": len(seconds["ours"]),
        "ours_seconds": statistics.median(seconds["ours"]),
        "keras_seconds": statistics.median(seconds["keras"]),
        "ratio": statistics.median(ours / keras for ours, keras in pairs),
    }


def make_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("network")
    table.add_column("what")
    for heading in ("runs", "ours (s)", "keras.applications (s)", "ratio"):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["network"],
            row["what"],
            str(row["runs"]),
            f"{row['ours_seconds']:.3f}",
            f"{row['keras_seconds']:.3f}",
            f"{row['ratio']:.2f}",
        )
    return table


if __name__ == "__main__":
    run(main)
