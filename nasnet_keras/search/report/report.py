"""A search as one self-contained HTML page."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.genotypes import NetworkGenotype
from nasnet_keras.search.engine.costs import COSTS
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report import charts, page, tables
from nasnet_keras.search.report.history import History, Reranked, read_history, read_reranked
from nasnet_keras.search.report.pareto import pareto_front
from nasnet_keras.text.plain_text import markup
from nasnet_keras.visualization import genotype_svg


def write_report(run_dir: RunDirectory, path: str | os.PathLike[str], count: int = 10) -> None:
    """Writes the page, atomically; the search may be running.

    It shows the curves of NASNet's figure 6; the Pareto front of accuracy against what the reward
    weighs against it, else against latency, where that is known; where the strategy predicts,
    PNASNet's figure 3 with Spearman's coefficients; the operations over time; drawings of the best
    cells; and the results of `rerank`.

    Args:
        run_dir: The search.
        path: The file.
        count: How many of the best children are listed and drawn.

    Raises:
        JournalError: The journal is damaged.
        OSError: A file cannot be read or written.
        ValueError: The directory is not a search, no child has a reward, or `count` is below 1.
    """
    check_can_write(path)
    history = read_history(run_dir)
    text = report_page(history, read_reranked(run_dir, history), count)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def report_page(history: History, reranked: Sequence[Reranked], count: int) -> str:
    """Returns the page as text; see `write_report`."""
    title = tables.title(history.config)
    best = history.best(count)
    config = markup(json.dumps(history.config.to_dict(), indent=2), keep="\n")
    parts = [
        page.table(tables.counts(history), text_columns=2),
        *_rewards(history),
        *_front(history),
        *_predictions(history),
        *_operations(history),
        *_reranked(reranked),
        f"<h2>The best {len(best)} children</h2>",
        page.table(tables.ranking(best)),
        *(_drawn(history, child, rank) for rank, child in enumerate(best, 1)),
        "<h2>Configuration</h2>",
        f"<pre>{config}</pre>",
    ]
    return page.page(title, parts)


def _rewards(history: History) -> list[str]:
    name, objective = history.rewarded_with, tables.objective(history)
    return [
        f"<h2>{name.capitalize()} against children trained</h2>",
        *([f"<p>{markup(objective)}</p>"] if objective else []),
        page.chart(
            charts.reward_chart([child.reward for child in history.trained], name),
            f"{name.capitalize()} on the held-out images; children in the order in which they "
            "finished.",
        ),
    ]


def _front(history: History) -> list[str]:
    key = history.objective.get("cost", "latency_ms")
    children = [child for child in history.trained if key in child.values]
    # One is no trade-off.
    if len(children) < 2:
        return []
    cost = next(cost for cost in COSTS if cost.key == key)
    front = pareto_front(children, key)
    return [
        f"<h2>Accuracy against {cost.name}</h2>",
        page.chart(
            charts.front_chart(children, front, cost),
            f"The Pareto front: no other child has both a higher accuracy and less {cost.name}.",
        ),
        page.table(tables.listing(front)),
    ]


def _predictions(history: History) -> list[str]:
    predicted = [child for child in history.trained if child.predicted_reward is not None]
    if not predicted:
        return []
    groups: dict[str, tuple[list[float], list[float]]] = {}
    # Where architectures grow, their length shows how far the predictor extrapolated.
    for child in sorted(predicted, key=lambda child: len(child.architecture)):
        decisions = len(child.architecture)
        name = f"{decisions} decisions" if decisions % 4 else f"{decisions // 4} blocks"
        expected, found = groups.setdefault(name, ([], []))
        expected.append(float(child.predicted_reward or 0.0))
        found.append(child.reward)
    rows = []
    for name, (expected, found) in groups.items():
        coefficient = charts.rank_correlation(expected, found)
        shown = "undefined" if coefficient is None else f"{coefficient:.3f}"
        rows.append((name, f"{len(found):,}", shown))
    return [
        f"<h2>Predicted and true {history.rewarded_with}</h2>",
        page.chart(
            charts.prediction_chart(groups, history.rewarded_with),
            "Each child's prediction before it was trained, when the largest cells the surrogate "
            "knew had one block less.",
        ),
        page.table(tables.Table(("cells of", "children", "Spearman"), rows), text_columns=1),
    ]


def _operations(history: History) -> list[str]:
    ends, fractions = charts.operation_fractions(history.space, history.trained)
    if not fractions:
        return []
    return [
        "<h2>Operations over time</h2>",
        page.chart(
            charts.operation_chart(ends, fractions),
            "Fraction of each operation in what was trained.",
        ),
    ]


def _reranked(reranked: Sequence[Reranked]) -> list[str]:
    if not reranked:
        return []
    coefficient = charts.rank_correlation(
        [child.search_accuracy for child in reranked], [child.accuracy for child in reranked]
    )
    note = "" if coefficient is None else f" Spearman of the two: {coefficient:.3f}."
    return [
        "<h2>Retrained with the full recipe</h2>",
        f"<p>{len(reranked)} children.{note}</p>",
        page.table(tables.reranking(reranked, "full recipe")),
    ]


def _drawn(history: History, child: Trained, rank: int) -> str:
    genotype = history.space.decode(child.architecture)
    if not isinstance(genotype, NetworkGenotype):
        return ""
    caption = f"Rank {rank}: child {child.number}, {genotype.name}, accuracy {child.accuracy:.4f}"
    return f"<figure>{genotype_svg(genotype)}<figcaption>{markup(caption)}</figcaption></figure>"
