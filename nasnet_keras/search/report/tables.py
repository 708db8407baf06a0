"""A search's results as tables of text, for the terminal and the report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.search.engine.progress import format_seconds
from nasnet_keras.search.engine.run_directory import SearchConfig
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report.history import History, Reranked


class Table(NamedTuple):
    """A table.

    Attributes:
        headings: One a column; none where the first column names the second's values.
        rows: One text a column.
    """

    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def title(config: SearchConfig) -> str:
    """Returns a short description of a search."""
    text = f"{config.strategy['name']} in space {config.space['space']}"
    dataset = config.child.get("dataset_name")
    return f"{text} on {dataset}" if dataset else text


def objective(history: History) -> str:
    """Returns how a search weighs a cost against accuracy; empty where it does not."""
    return ", ".join(f"{name}={value}" for name, value in history.objective.items())


def counts(history: History) -> Table:
    """Returns the counts of a search, and its best child."""
    state = history.state
    rows = [
        ("proposals", f"{state.asked:,}"),
        ("identical to an earlier one", f"{state.repeated:,}"),
        ("rejected", f"{state.rejected:,}"),
        ("children trained", f"{state.trained:,}"),
        ("running", f"{state.running:,}"),
        ("failed", f"{state.failed:,}"),
        ("repeated attempts", f"{state.retries:,}"),
        ("total time of children", format_seconds(state.seconds)),
        ("from the first event to the last", format_seconds(state.elapsed)),
        ("seed", str(history.config.seed)),
    ]
    if history.objective:
        rows.append(("rewarded with", objective(history)))
    if state.best is not None:
        costs = [cost.quantity(state.best.values) for cost in known_costs([state.best.values])]
        best = f"child {state.best.number}: accuracy {state.best.accuracy:.4f}"
        if "accuracy" in state.best.values:
            costs.append(f"reward {state.best.reward:.4f}")
        rows.append(("best", ", ".join([best, *costs])))
    return Table((), rows)


def ranking(children: Sequence[Trained]) -> Table:
    """Returns children by rank, with their known costs; their reward where it is not accuracy."""
    table = listing(children)
    rows = [(str(rank), *row) for rank, row in enumerate(table.rows, 1)]
    return Table(("rank", *table.headings), rows)


def listing(children: Sequence[Trained]) -> Table:
    """Returns children in their order, with what `ranking` says of them."""
    costs = known_costs(child.values for child in children)
    rewarded = any("accuracy" in child.values for child in children)
    rows = [
        (
            str(child.number),
            *([f"{child.reward:.4f}"] if rewarded else []),
            f"{child.accuracy:.4f}",
            *(cost.text(child.values) for cost in costs),
            format_seconds(child.seconds),
        )
        for child in children
    ]
    reward = ["reward"] if rewarded else []
    headings = ("child", *reward, "accuracy", *(cost.heading for cost in costs), "time")
    return Table(headings, rows)


def reranking(children: Sequence[Reranked], how: str) -> Table:
    """Returns retrained children by rank; `how` is the heading of the new accuracies."""
    rows = [
        (str(rank), str(child.number), f"{child.search_accuracy:.4f}", f"{child.accuracy:.4f}")
        for rank, child in enumerate(children, 1)
    ]
    return Table(("rank", "child", "in the search", how), rows)
