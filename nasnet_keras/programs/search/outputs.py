"""What the programs share that show a search's results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from nasnet_keras.settings import Count, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class SearchFlags(Settings):
    """Which search.

    Attributes:
        run_dir: Directory of the search.
    """

    run_dir: str


@dataclass(frozen=True, kw_only=True)
class BestFlags(SearchFlags):
    """Which children of a search.

    Attributes:
        count: How many of the best children.
    """

    count: Count = 10


def default_output(run_dir: str, name: str) -> str:
    """Returns where a file is written that no flag names: in the search's directory."""
    return os.path.join(run_dir, name)


def child_name(child: int | None) -> str:
    """Returns how files of a child, by default the best, are called, without suffix."""
    return "best" if child is None else f"child-{child}"


def check_suffix(path: str, suffix: str) -> None:
    """Rejects an output file with a different suffix."""
    if not path.endswith(suffix):
        raise ValueError(f"--output is a {suffix} file, got {path!r}")


def read_child(run_dir: str, child: int | None) -> Any:
    """Returns the genotype of a child, by default the best, and prints its number."""
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.history import read_history

    history = read_history(RunDirectory(run_dir))
    child = history.best(1)[0].number if child is None else child
    genotype = history.genotype(child)
    say(f"child {child}")
    return genotype


def print_table(table: Any) -> None:
    """Prints a table of `nasnet_keras.search.report.tables`."""
    from rich import box
    from rich.table import Table

    from nasnet_keras.text.plain_console import PlainConsole

    # Narrow, and nothing is cut off: the costs of a child take some 80 columns.
    grid = Table(*table.headings, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for column in grid.columns:
        column.justify, column.overflow = "right", "fold"
    for row in table.rows:
        grid.add_row(*row)
    PlainConsole().print(grid)
