"""The table of the best cells at several sizes, beside published networks, as HTML and CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.search.report import charts, page
from nasnet_keras.search.report.tables import Table
from nasnet_keras.text.plain_text import markup


@dataclass(frozen=True)
class TableRow:
    """A network of the table.

    Attributes:
        network: Its cells' or its published name.
        source: The child, or the paper's table.
        num_cells: Normal cells; `None`: it has none.
        filters: Filters of the first cells.
        parameters: Its parameters.
        multiply_adds: Its multiply-adds for one image.
        accuracy: Its test accuracy.
        latency_ms: Milliseconds to predict one image, where measured.
        peak_bytes: Memory that this takes, where measured.
    """

    network: str
    source: str
    num_cells: int | None
    filters: int | None
    parameters: int
    multiply_adds: int
    accuracy: float
    latency_ms: float | None = None
    peak_bytes: int | None = None


def write_final_report(
    path: Path, title: str, networks: Sequence[TableRow], published: Sequence[TableRow]
) -> None:
    """Writes the page, and beside it the same numbers as CSV, each atomically.

    Args:
        path: The page, `.html`; the table is called so too, but `.csv`.
        title: The page's.
        networks: Those of the search.
        published: Those to be shown beside them.

    Raises:
        OSError: A file cannot be written.
    """
    rows = [*networks, *published]
    with atomic_write(path.with_suffix(".csv")) as temporary:
        temporary.write_text(_csv(rows), encoding="utf-8", newline="")
    parts = [
        page.chart(
            charts.size_chart(_lines(networks), _lines(published)),
            "Accuracy against multiply-adds for one image, as in figure 5 of Zoph et al. 2018.",
        ),
        page.table(final_table(rows), text_columns=2),
        f"<p>{markup(_note(published))}</p>",
    ]
    with atomic_write(path) as temporary:
        temporary.write_text(page.page(title, parts), encoding="utf-8")


def final_table(rows: Sequence[TableRow]) -> Table:
    """Returns the networks, most accurate first."""
    ranked = sorted(rows, key=lambda row: (-row.accuracy, row.multiply_adds))
    values = [_values(row) for row in ranked]
    costs = known_costs(values)
    return Table(
        ("network", "source", "cells", "filters", *(c.heading for c in costs), "test accuracy"),
        [
            (
                *(row.network, row.source, str(row.num_cells or ""), str(row.filters or "")),
                *(cost.text(known) for cost in costs),
                f"{row.accuracy:.4f}",
            )
            for row, known in zip(ranked, values, strict=True)
        ],
    )


def _values(row: TableRow) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(row).items() if value is not None}


def _csv(rows: Sequence[TableRow]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(TableRow)])
    writer.writeheader()
    writer.writerows(_values(row) for row in rows)
    return file.getvalue()


def _lines(rows: Sequence[TableRow]) -> dict[str, list[tuple[int, float]]]:
    """Returns multiply-adds and accuracies by network, the smallest first."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for row in sorted(rows, key=lambda row: row.multiply_adds):
        lines.setdefault(row.network, []).append((row.multiply_adds, row.accuracy))
    return lines


def _note(published: Sequence[TableRow]) -> str:
    if not published:
        return "No network of this package was published with an accuracy on this dataset."
    return (
        "What is said of published networks is from the papers, but for the multiply-adds of those "
        "on CIFAR-10, for which the papers give none: they are counted."
    )
