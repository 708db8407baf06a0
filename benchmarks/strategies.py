"""Which strategy finds good cells with the fewest trained children?

Strategies search a space whose accuracies are all known: the 15,625 cells of NAS-Bench-201, or the
layer-wise networks that a search of ours trained. A network is trained once: proposing it again
tells the known accuracy and costs nothing, as in a real search. Each curve is the mean validation
accuracy of the 25 best trained so far, against the number of networks trained; a search that has
settled on few of them keeps its last value. Intervals are Student's, 95 %, over seeds. A strategy
parts from random search at the number of children from which on the interval of the difference
(Welch) stays above 0.

    python benchmarks/strategies.py --table=nasbench201.csv [--seeds=20] \
        [--children=2000] [--strategies=random,reinforce,...] [--output=s.json] [--plot=s.png]
    python benchmarks/strategies.py --table=benchmarks/digits_layers.csv --children=200
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
from absl import flags
from lookup import VARIANTS, read_known_space, search, top_curve
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table
from scipy import stats
from studies import band, interval

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

_TABLE = flags.DEFINE_string("table", "nasbench201.csv", "CSV file of trained networks.")
_SEEDS = flags.DEFINE_integer("seeds", 20, "Runs of each strategy.", lower_bound=2)
_CHILDREN = flags.DEFINE_integer("children", 2000, "Networks a run trains at most.", lower_bound=25)
_STRATEGIES = flags.DEFINE_list(
    "strategies",
    ["random", "reinforce", "ppo", "evolution", "reinforce-fast", "ppo-fast"],
    "What to compare, random first.",
)
_TOP = flags.DEFINE_integer("top", 25, "Networks whose mean is taken.", lower_bound=1)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_PLOT = flags.DEFINE_string("plot", None, "PNG file to write.")

POINTS = (100, 200, 300, 500, 1000)


def main(_: list[str]) -> None:
    for name in _STRATEGIES.value:
        if name not in VARIANTS:
            raise ValueError(unknown_name("strategy", name, VARIANTS))
    if _STRATEGIES.value[0] != "random":
        raise ValueError(f"--strategies starts with random, got {_STRATEGIES.value[0]!r}")
    check_output(_OUTPUT.value)
    check_output(_PLOT.value)
    known = read_known_space(_TABLE.value)
    validation, test = known.accuracies, known.tests
    # Loaded before anything is timed.
    import keras  # noqa: F401

    curves: dict[str, np.ndarray] = {}
    rows = []
    for name in _STRATEGIES.value:
        start = time.perf_counter()
        runs = [search(name, known, seed, _CHILDREN.value) for seed in range(_SEEDS.value)]
        seconds = time.perf_counter() - start
        curves[name] = np.array(
            [top_curve(t, validation, _TOP.value, _CHILDREN.value) for t, _ in runs]
        )
        proposals = sum(count for _, count in runs)
        rows.append(
            {
                "strategy": name,
                "options": VARIANTS[name][1],
                "seeds": _SEEDS.value,
                "trained": float(np.mean([len(trained) for trained, _ in runs])),
                "proposals": proposals / _SEEDS.value,
                "milliseconds_a_proposal": 1000 * seconds / proposals,
                "test_accuracy_of_best": None
                if test is None
                else interval(
                    np.array([test[max(t, key=lambda a: validation[a])] for t, _ in runs])
                ),
                "parts_from_random_at": None
                if name == "random"
                else parting(curves[name], curves["random"]),
                "top_mean": {
                    str(n): interval(curves[name][:, n - 1])
                    for n in (*(p for p in POINTS if p < _CHILDREN.value), _CHILDREN.value)
                },
            }
        )
        print(f"{name}: {seconds:.0f} s", file=sys.stderr)
    Console(width=None if sys.stdout.isatty() else 200).print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)
    if _PLOT.value:
        best = sorted(validation.values())[-_TOP.value :]
        plot(curves, float(np.mean(best)))


def parting(curve: np.ndarray, random: np.ndarray) -> int | None:
    """Returns from how many children on the strategy is surely better; `None`: never."""
    low = []
    for ours, theirs in zip(curve.T, random.T, strict=True):
        result = stats.ttest_ind(ours, theirs, equal_var=False)
        low.append(result.confidence_interval(0.95).low)
    below = np.flatnonzero(~(np.array(low) > 0))
    first = int(below[-1]) + 1 if len(below) else 0
    return first + 1 if first < len(low) else None


def make_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("strategy")
    for points in rows[0]["top_mean"]:
        table.add_column(f"top {_TOP.value} at {points} (%)", justify="right")
    tested = rows[0]["test_accuracy_of_best"] is not None
    headings = ("parts at", "trained", "proposals", "ms a proposal")
    for heading in (*headings, "test of best (%)") if tested else headings:
        table.add_column(heading, justify="right")
    for row in rows:
        best = row["test_accuracy_of_best"]
        parts = row["parts_from_random_at"]
        table.add_row(
            row["strategy"],
            *(f"{v['mean']:.2f} ± {v['half_width']:.2f}" for v in row["top_mean"].values()),
            "-" if parts is None else str(parts),
            f"{row['trained']:.0f}",
            f"{row['proposals']:.0f}",
            f"{row['milliseconds_a_proposal']:.2f}",
            *([f"{best['mean']:.2f} ± {best['half_width']:.2f}"] if tested else []),
        )
    return table


def plot(curves: dict[str, np.ndarray], limit: float) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
    count = np.arange(_TOP.value, _CHILDREN.value + 1)
    for name, curve in curves.items():
        middle, half = band(curve[:, _TOP.value - 1 :])
        (line,) = axes.plot(count, middle, label=name)
        axes.fill_between(count, middle - half, middle + half, alpha=0.2, color=line.get_color())
    axes.axhline(100 * limit, color="black", linestyle=":", label="best possible")
    axes.set_xlabel("children trained")
    axes.set_ylabel(f"validation accuracy, mean of top {_TOP.value} (%)")
    axes.legend()
    figure.savefig(_PLOT.value, dpi=150)


if __name__ == "__main__":
    run(main)
