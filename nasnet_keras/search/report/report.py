"""A search as one self-contained HTML page."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Sequence

from nasnet_keras.files.atomic_files import atomic_write, check_can_write
from nasnet_keras.genotypes import NetworkGenotype
from nasnet_keras.search.engine.costs import COSTS
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report import charts, tables
from nasnet_keras.search.report.history import History, Reranked, read_history, read_reranked
from nasnet_keras.search.report.pareto import pareto_front
from nasnet_keras.text.plain_text import markup
from nasnet_keras.visualization import genotype_svg

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .8rem; text-align: right; border-bottom: 1px solid #ddd; }
th { border-bottom: 2px solid #888; }
td.text, th.text { text-align: left; }
figure { margin: 1rem 0; overflow-x: auto; }
figure svg, figure img { max-width: 100%; height: auto; }
figcaption { color: #555; } pre { background: #f6f6f6; padding: .6rem; overflow-x: auto; }
"""


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
    title = markup(tables.title(history.config))
    best = history.best(count)
    config = markup(json.dumps(history.config.to_dict(), indent=2), keep="\n")
    parts = [
        f"<h1>{title}</h1>",
        _table(tables.counts(history), text_columns=2),
        *_rewards(history),
        *_front(history),
        *_predictions(history),
        *_operations(history),
        *_reranked(reranked),
        f"<h2>The best {len(best)} children</h2>",
        _table(tables.ranking(best)),
        *(_drawn(history, child, rank) for rank, child in enumerate(best, 1)),
        "<h2>Configuration</h2>",
        f"<pre>{config}</pre>",
    ]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _rewards(history: History) -> list[str]:
    name, objective = history.rewarded_with, tables.objective(history)
    return [
        f"<h2>{name.capitalize()} against children trained</h2>",
        *([f"<p>{markup(objective)}</p>"] if objective else []),
        _chart(
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
        _chart(
            charts.front_chart(children, front, cost),
            f"The Pareto front: no other child has both a higher accuracy and less {cost.name}.",
        ),
        _table(tables.listing(front)),
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
        _chart(
            charts.prediction_chart(groups, history.rewarded_with),
            "Each child's prediction before it was trained, when the largest cells the surrogate "
            "knew had one block less.",
        ),
        _table(tables.Table(("cells of", "children", "Spearman"), rows), text_columns=1),
    ]


def _operations(history: History) -> list[str]:
    ends, fractions = charts.operation_fractions(history.space, history.trained)
    if not fractions:
        return []
    return [
        "<h2>Operations over time</h2>",
        _chart(
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
        _table(tables.reranking(reranked, "full recipe")),
    ]


def _drawn(history: History, child: Trained, rank: int) -> str:
    genotype = history.space.decode(child.architecture)
    if not isinstance(genotype, NetworkGenotype):
        return ""
    caption = f"Rank {rank}: child {child.number}, {genotype.name}, accuracy {child.accuracy:.4f}"
    return f"<figure>{genotype_svg(genotype)}<figcaption>{markup(caption)}</figcaption></figure>"


def _chart(svg: bytes, caption: str) -> str:
    # A separate image, so that the ids inside two charts do not clash.
    data = base64.b64encode(svg).decode()
    caption = markup(caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/svg+xml;base64,{data}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _table(table: tables.Table, text_columns: int = 0) -> str:
    def line(tag: str, cells: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=text' if column < text_columns else ''}>{markup(cell)}</{tag}>"
            for column, cell in enumerate(cells)
        )

    head = f"<tr>{line('th', table.headings)}</tr>" if table.headings else ""
    body = "".join(f"<tr>{line('td', row)}</tr>" for row in table.rows)
    return f"<table>{head}{body}</table>"
