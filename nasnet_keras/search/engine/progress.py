"""The progress of a running search."""

from __future__ import annotations

import time
from typing import Any

from rich import progress
from rich.console import Console

from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.text.plain_console import say_on
from nasnet_keras.text.progress_bar import progress_bar

_LINE_SECONDS = 10.0


class SearchProgress:
    """A bar on a terminal, lines elsewhere; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = progress_bar(
            console,
            progress.TextColumn("search"),
            progress.BarColumn(),
            progress.TextColumn("{task.fields[text]}", markup=False),
            transient=False,
        )
        self._task = self._bar.add_task("search", total=None, text="starting")
        self._printed = (-1, 0.0)

    def __call__(self, state: SearchState) -> None:
        """Shows the state of a search."""
        text = describe(state)
        self._bar.update(
            self._task, total=state.session.get("budget"), completed=state.done, text=text
        )
        # Rejected ones are not done children, but they show that the search is alive.
        ended = state.done + state.rejected
        printed, moment = self._printed
        # The last line is shown whenever it comes.
        due = time.monotonic() - moment > _LINE_SECONDS or not state.running
        if self._bar.disable and due and ended != printed:
            say_on(self._console, text)
            self._printed = (ended, time.monotonic())

    def __enter__(self) -> SearchProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()


def describe(state: SearchState) -> str:
    """Returns children done and running, the best so far and the time left, as one line."""
    budget = state.session.get("budget")
    parts = [f"{state.done} of {budget} children" if budget else f"{state.done} children"]
    parts.append(f"{state.running} running")
    if state.rejected:
        parts.append(f"{state.rejected} rejected")
    if state.failed:
        parts.append(f"{state.failed} failed")
    if state.best is not None:
        parts.append(f"best {state.best.reward:.4f} (child {state.best.number})")
    left = seconds_left(state)
    if left is not None:
        parts.append(f"about {format_seconds(left)} left")
    return ", ".join(parts)


def seconds_left(state: SearchState) -> float | None:
    """Returns the time that the rest of the budget needs at the pace so far, if known."""
    budget = state.session.get("budget")
    if not budget or not state.trained or state.done >= budget:
        return None
    children = budget - state.done
    return children * state.seconds / state.trained / min(children, state.session["workers"])


def format_seconds(seconds: float) -> str:
    """Returns a duration in its two largest units."""
    seconds = round(seconds)
    for unit, name, part, part_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= unit:
            return f"{seconds // unit} {name} {seconds % unit // part} {part_name}"
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"
