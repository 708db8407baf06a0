"""A progress bar, where there is a terminal to draw it on."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def progress_bar(
    console: Console | None, *columns: str | ProgressColumn, transient: bool = True
) -> Progress:
    """Returns a bar that nothing is seen of where there is no terminal.

    Args:
        console: Where it is drawn; `None`: nowhere.
        *columns: What it shows.
        transient: Whether it is gone in the end.
    """
    shown = console is not None and console.is_terminal
    # Before version 15, Rich ends a bar that is not shown with an empty line.
    where = console if shown else Console(quiet=True)
    return Progress(*columns, console=where, transient=transient, disable=not shown)
