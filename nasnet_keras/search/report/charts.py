"""The charts of a search's report."""

from __future__ import annotations

import heapq
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nasnet_keras.search.engine.costs import Cost
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.spaces.space import Space

CURVES = (("best", 1), ("mean of top 5", 5), ("mean of top 25", 25))
"""The curves of figure 6 of Zoph et al. 2018: their names, and how many rewards they average."""

_PERIODS = 20


def top_means(rewards: Sequence[float], count: int) -> np.ndarray:
    """Returns the mean of the highest `count` rewards after each child.

    Args:
        rewards: In the order in which children ended.
        count: How many to average.

    Returns:
        `(len(rewards),)`, NaN at the first `count - 1` positions.
    """
    means = np.full(len(rewards), np.nan)
    heap: list[float] = []
    total = 0.0
    for index, reward in enumerate(rewards):
        total += reward
        if len(heap) < count:
            heapq.heappush(heap, reward)
        else:
            total -= heapq.heappushpop(heap, reward)
        if len(heap) == count:
            means[index] = total / count
    return means


def rank_correlation(expected: Sequence[float], found: Sequence[float]) -> float | None:
    """Returns Spearman's coefficient; `None` where it is undefined, as one list is constant."""
    from scipy.stats import spearmanr

    if len(set(expected)) < 2 or len(set(found)) < 2:
        return None
    return float(spearmanr(expected, found).statistic)


def operation_fractions(
    space: Space, children: Sequence[Trained], periods: int = _PERIODS
) -> tuple[list[int], dict[str, np.ndarray]]:
    """Computes the fractions of the operations over time.

    Args:
        space: Their space.
        children: In the order in which they ended.
        periods: How many parts their sequence is split into, at most one a child.

    Returns:
        After how many children each part ends, and by operation its fraction of each part. Empty
        where the space has no operations.
    """
    parts = [part for part in np.array_split(np.arange(len(children)), periods) if len(part)]
    positions = [i for i, decision in enumerate(space.decisions) if decision.kind == "operation"]
    if not positions:
        return [], {}
    names = list(dict.fromkeys(name for i in positions for name in space.decisions[i].choices))
    fractions = {name: np.zeros(len(parts)) for name in names}
    for index, part in enumerate(parts):
        counts = Counter(
            space.decisions[i].choices[children[child].architecture[i]]
            for child in part
            for i in positions
            if i < len(children[child].architecture)
        )
        for name, count in counts.items():
            fractions[name][index] = count / counts.total()
    return [int(part[-1]) + 1 for part in parts], fractions


def reward_chart(rewards: Sequence[float], called: str) -> bytes:
    """Draws rewards, called so, against children trained, as in figure 6, as SVG."""
    figure, axes = _figure()
    children = np.arange(1, len(rewards) + 1)
    axes.plot(children, rewards, ".", color="0.75", markersize=3, label="each child")
    for (name, count), color in zip(CURVES, ("tab:red", "tab:blue", "tab:green"), strict=True):
        means = top_means(rewards, count)
        if not np.isnan(means).all():
            axes.plot(children, means, color=color, label=name, drawstyle="steps-post")
    axes.set(xlabel="children trained", ylabel=called)
    axes.legend(loc="lower right")
    return _svg(figure)


def front_chart(children: Sequence[Trained], front: Sequence[Trained], cost: Cost) -> bytes:
    """Draws accuracy against a cost, and the children that none beats in both, as SVG."""
    figure, axes = _figure()
    for some, style, name in (
        (children, {"color": "0.6", "marker": ".", "linestyle": ""}, "each child"),
        (front, {"color": "tab:red", "marker": "o", "drawstyle": "steps-post"}, "Pareto front"),
    ):
        costs = [child.values[cost.key] for child in some]
        axes.plot(costs, [child.accuracy for child in some], label=name, **style)
    axes.set(xlabel=cost.heading, ylabel="accuracy")
    axes.legend(loc="lower right")
    return _svg(figure)


def prediction_chart(groups: dict[str, tuple[list[float], list[float]]], called: str) -> bytes:
    """Draws each group's predicted and true rewards, called so (Liu et al. 2018, figure 3)."""
    figure, axes = _figure(width=5.0, height=5.0)
    for name, (predicted, rewards) in groups.items():
        axes.plot(predicted, rewards, "o", markersize=4, alpha=0.6, label=name)
    values = np.concatenate([np.ravel(pair) for pair in groups.values()])
    margin = 0.05 * max(np.ptp(values), 0.02)
    ends = (values.min() - margin, values.max() + margin)
    axes.plot(ends, ends, ":", color="0.5")
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set(xlabel="predicted before training", ylabel=called)
    axes.legend(loc="upper left")
    return _svg(figure)


def operation_chart(ends: Sequence[int], fractions: dict[str, np.ndarray]) -> bytes:
    """Draws `operation_fractions` as SVG, one band an operation."""
    import matplotlib

    figure, axes = _figure(width=9.5)
    colors = matplotlib.colormaps["tab20"].colors  # type: ignore[attr-defined]
    starts = np.array([0, *ends[:-1]])
    bottom = np.zeros(len(ends))
    for (name, fraction), color in zip(fractions.items(), colors, strict=False):
        axes.bar(
            starts, fraction, np.array(ends) - starts, bottom, align="edge", color=color, label=name
        )
        bottom += fraction
    axes.set(xlabel="children trained", ylabel="fraction of all operations")
    axes.set(xlim=(0, ends[-1]), ylim=(0, 1))
    # In the order of the bands, from the top.
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _svg(figure)


def size_chart(
    networks: Mapping[str, Sequence[tuple[int, float]]],
    published: Mapping[str, Sequence[tuple[int, float]]],
) -> bytes:
    """Draws accuracy against multiply-adds, as in figure 5, as SVG.

    Args:
        networks: Multiply-adds and accuracies by the cells' name, one pair a size.
        published: The same of published networks.
    """
    figure, axes = _figure(width=9.5)
    for some, style in ((networks, "o-"), (published, "s")):
        for name, points in some.items():
            axes.plot(*zip(*points, strict=True), style, markersize=5, label=name)
    axes.set(xlabel="multiply-adds", ylabel="test accuracy", xscale="log")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return _svg(figure)


def _figure(width: float = 7.5, height: float = 4.2) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set(visible=False)
    return figure, axes


def _svg(figure: Any) -> bytes:
    import matplotlib

    file = io.BytesIO()
    # Text as text, and the same bytes for the same values.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
