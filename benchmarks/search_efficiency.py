"""How many children does a strategy save, as table 2 of PNASNet counts it?

Strategies search a space whose networks were all trained (see `strategies.py`). What the baseline
has found with all its children sets the mark: the mean accuracy of its best 1, 5 and 25, over
seeds. How many children do the others need until the mean over their seeds is as high? A ratio says
how many times as much the baseline took:

- of children, with its 95 % interval, a bootstrap over the seeds of both;
- of images, as the paper counts them: every child sees as many, and all searches but the
  progressive one train the best 1 in 80 children of the baseline's budget again, 15 times as long
  (250 of 20,000, 300 epochs after 20);
- of multiply-adds for an image of each child, where the table has them: cells of one block take
  fewer.

    python benchmarks/search_efficiency.py --table=benchmarks/digits_layers.csv [--children=100] \
        [--seeds=20] [--baselines=random,ppo-fast] [--strategies=...] [--output=e.json] \
        [--plot=e.png]
    python benchmarks/search_efficiency.py --table=nasbench201.csv --children=500
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from absl import flags
from known_space import KnownSpace
from lookup import VARIANTS, read_known_space, search, top_curve
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table
from studies import band, interval

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.search import PNASSpace
from nasnet_keras.text.suggestions import unknown_name

_TABLE = flags.DEFINE_string("table", "benchmarks/digits_layers.csv", "Table of a whole space.")
_SEEDS = flags.DEFINE_integer("seeds", 20, "Runs of each strategy.", lower_bound=2)
_CHILDREN = flags.DEFINE_integer("children", 100, "Networks a run trains at most.", lower_bound=25)
_BASELINES = flags.DEFINE_list("baselines", ["random"], "What the others are compared with.")
_STRATEGIES = flags.DEFINE_list("strategies", None, "What to compare. Default: all that can.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_PLOT = flags.DEFINE_string("plot", None, "PNG file to write.")

# Of how many cells the mean is taken: the M of the paper's table 2.
TOPS = (1, 5, 25)
# What NASNet trained again, and how much longer.
RERANKED, LONGER = 250 / 20_000, 300 / 20
RESAMPLES = 1000


@dataclass(frozen=True)
class Found:
    """What the runs of a strategy found.

    Attributes:
        curves: By number of cells, `(seeds, children)`: the mean accuracy of the best so far.
        multiply_adds: `(children,)`, of all children so far, the mean over seeds; or `None`.
    """

    curves: dict[int, np.ndarray]
    multiply_adds: np.ndarray | None


def main(_: list[str]) -> None:
    for name in [*_BASELINES.value, *(_STRATEGIES.value or ())]:
        if name not in VARIANTS:
            raise ValueError(unknown_name("strategy", name, VARIANTS))
    check_output(_OUTPUT.value)
    check_output(_PLOT.value)
    known = read_known_space(_TABLE.value)
    import_keras_quietly()
    names = dict.fromkeys([*_BASELINES.value, *(_STRATEGIES.value or able(known))])
    found = {}
    for name in names:
        start = time.perf_counter()
        found[name] = find(name, known, _SEEDS.value, _CHILDREN.value)
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    rows = [
        compare(found, name, baseline, top)
        for baseline in _BASELINES.value
        for top in TOPS
        for name in names
        if name != baseline
    ]
    Console(width=None if sys.stdout.isatty() else 200).print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)
    if _PLOT.value:
        best = sorted(known.accuracies.values(), reverse=True)
        plot(_PLOT.value, found, {top: float(np.mean(best[:top])) for top in TOPS})


def able(known: KnownSpace) -> list[str]:
    """Returns the strategies that can search a space."""
    grows = isinstance(known.space, PNASSpace)
    return [name for name, (kind, _) in VARIANTS.items() if grows or kind != "progressive"]


def find(name: str, known: KnownSpace, seeds: int, children: int) -> Found:
    """Runs a strategy with each seed."""
    runs = [search(name, known, seed, children)[0] for seed in range(seeds)]
    curves = {
        top: np.array([top_curve(trained, known.accuracies, top, children) for trained in runs])
        for top in TOPS
    }
    work = None
    if known.multiply_adds is not None:
        spent = np.zeros((seeds, children))
        for row, trained in zip(spent, runs, strict=True):
            row[: len(trained)] = [known.multiply_adds[a] for a in trained]
        work = spent.cumsum(axis=1).mean(axis=0)
    return Found(curves, work)


def compare(found: dict[str, Found], name: str, baseline: str, top: int) -> dict[str, Any]:
    """Returns how many children a strategy needs for what the baseline finds, and the ratios."""
    theirs, ours = found[baseline].curves[top], found[name].curves[top]
    budget = theirs.shape[1]
    generator = np.random.default_rng(0)
    pairs = [children_needed(theirs, ours, top)]
    for _ in range(RESAMPLES):
        other, own = (
            curves[generator.integers(len(curves), size=len(curves))] for curves in (theirs, ours)
        )
        pairs.append(children_needed(other, own, top))
    # A strategy that does not get there needs infinitely many.
    needed = np.array([count for _, count in pairs])
    ratios = np.array([base / count for base, count in pairs])
    row: dict[str, Any] = {
        "baseline": baseline,
        "budget": budget,
        "top": top,
        "accuracy": interval(theirs[:, -1]),
        "strategy": name,
        "options": VARIANTS[name][1],
        "seeds": len(ours),
        "children": estimate(needed),
        "children_ratio": estimate(ratios),
        "images_ratio": None,
        "multiply_adds_ratio": None,
    }
    base, count = pairs[0]
    if math.isfinite(count):
        row["images_ratio"] = images(baseline, base, budget) / images(name, count, budget)
        base_work, work = found[baseline].multiply_adds, found[name].multiply_adds
        if base_work is not None and work is not None:
            row["multiply_adds_ratio"] = float(base_work[int(base) - 1] / work[int(count) - 1])
    return row


def children_needed(theirs: np.ndarray, ours: np.ndarray, top: int) -> tuple[float, float]:
    """Returns after how many children the mean curves first have what the baseline ends with."""
    means = [curves.mean(axis=0)[top - 1 :] for curves in (theirs, ours)]
    # Two sums of the same numbers may differ in their last bits.
    mark = means[0][-1] - 1e-12
    base, count = (
        top + int(np.argmax(mean >= mark)) if mean[-1] >= mark else math.inf for mean in means
    )
    return base, count


def images(name: str, children: float, budget: int) -> float:
    """Returns the images that a search sees, in those of a child."""
    if VARIANTS[name][0] == "progressive":
        return children
    return children + math.ceil(RERANKED * budget) * LONGER


def estimate(values: np.ndarray) -> dict[str, float | None]:
    """Returns the value, which comes first, and its interval; `None` where it is infinite."""
    # No mean of two, of which one might be infinite.
    low, high = np.quantile(values[1:], (0.025, 0.975), method="nearest")
    named = {"value": values[0], "low": low, "high": high}
    return {key: float(v) if math.isfinite(v) else None for key, v in named.items()}


def make_table(rows: list[dict[str, Any]]) -> Table:
    def shown(value: dict[str, float | None], form: str, budget: int) -> str:
        middle, low, high = (
            f">{budget}" if v is None else "<1" if v == 0 else f"{v:{form}}" for v in value.values()
        )
        return middle if middle == low == high else f"{middle} ({low} to {high})"

    def ratio(value: float | None) -> str:
        return "-" if value is None else f"{value:.1f}"

    table = Table(box=box.MARKDOWN)
    for heading in ("baseline", "strategy"):
        table.add_column(heading)
    headings = ("top", "accuracy (%)", "children", "times fewer", "images", "multiply-adds")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            f"{row['baseline']}, {row['budget']}",
            row["strategy"],
            str(row["top"]),
            f"{row['accuracy']['mean']:.2f} ± {row['accuracy']['half_width']:.2f}",
            shown(row["children"], ".0f", row["budget"]),
            shown(row["children_ratio"], ".1f", row["budget"]),
            ratio(row["images_ratio"]),
            ratio(row["multiply_adds_ratio"]),
        )
    return table


def plot(path: str, found: dict[str, Found], limits: dict[int, float]) -> None:
    """Draws accuracy against children, and against multiply-adds where they are known."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    first = max(TOPS) - 1
    works = [each.multiply_adds for each in found.values()]
    height = 1 if any(work is None for work in works) else 2
    figure, grid = plt.subplots(
        height, len(TOPS), figsize=(11, 3.6 * height), layout="constrained", squeeze=False
    )
    for top, column in zip(TOPS, grid.T, strict=True):
        for axes, by_work in zip(column, (False, True), strict=False):
            for name, each in found.items():
                # Before, the curves are steep and alike.
                middle, half = band(each.curves[top][:, first:])
                x = np.arange(first, first + len(middle)) + 1
                if by_work and each.multiply_adds is not None:
                    x = each.multiply_adds[first:] / 1e6
                (line,) = axes.plot(x, middle, label=name, linewidth=1.2)
                axes.fill_between(
                    x, middle - half, middle + half, alpha=0.15, color=line.get_color()
                )
            axes.axhline(100 * limits[top], color="black", linestyle=":", label="best possible")
            axes.set_xlabel("multiply-adds, millions an image" if by_work else "children trained")
            axes.set_ylabel(f"accuracy, mean of top {top} (%)")
    grid[0, -1].legend(fontsize="small")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    run(main)
