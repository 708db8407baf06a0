"""A search's results as text in rows and columns, for the terminal and the page alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.search.engine.progress import format_seconds
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report.history import History, Reranked


class Table(NamedTuple):
    """A table.

    Attributes:
        headings: One a column; none where the first column names what the second has.
        rows: As many texts in each as there are columns.
    """

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def title(config: Mapping[str, Any]) -> str:
    """Returns what a search is, in a few words."""
    text = f"{config['strategy']['name']} in space {config['space']['space']}"
    dataset = config["child"].get("dataset_name")
    return f"{text} on {dataset}" if dataset else text


def counts(history: History) -> Table:
    """Returns how much of everything there was, and the best child."""
    state = history.state
    rows = [
        ("proposals", f"{state.asked:,}"),
        ("identical to an earlier one", f"{state.repeated:,}"),
        ("beyond a limit, or turned down by the child", f"{state.rejected:,}"),
        ("children trained", f"{state.trained:,}"),
        ("running", f"{state.running:,}"),
        ("failed", f"{state.failed:,}"),
        ("attempts made again", f"{state.retries:,}"),
        ("time of all children", format_seconds(state.seconds)),
        ("from the first event to the last", format_seconds(state.elapsed)),
        ("seed", str(history.config["seed"])),
    ]
    if state.best is not None:
        costs = [cost.quantity(state.best.values) for cost in known_costs([state.best.values])]
        best = f"child {state.best.number}: accuracy {state.best.reward:.4f}"
        rows.append(("best", ", ".join([best, *costs])))
    return Table((), rows)


def ranking(children: Sequence[Trained]) -> Table:
    """Returns children by rank, with those of their costs that are known."""
    costs = known_costs(child.values for child in children)
    rows = [
        (
            *(str(rank), str(child.number), f"{child.reward:.4f}"),
            *(cost.text(child.values) for cost in costs),
            format_seconds(child.seconds),
        )
        for rank, child in enumerate(children, 1)
    ]
    headings = ("rank", "child", "accuracy", *(cost.heading for cost in costs), "time")
    return Table(headings, rows)


def reranking(children: Sequence[Reranked], how: str) -> Table:
    """Returns children by rank after they were trained again.

    Args:
        children: The best first.
        how: The recipe, in a few words.
    """
    rows = [
        (str(rank), str(child.number), f"{child.search_reward:.4f}", f"{child.reward:.4f}")
        for rank, child in enumerate(children, 1)
    ]
    return Table(("rank", "child", "in the search", how), rows)
