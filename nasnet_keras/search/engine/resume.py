"""Restores a search from its journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nasnet_keras.search.engine.journal import JournalError, Place
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import SearchState, replay
from nasnet_keras.search.engine.snapshot import Snapshot, load_snapshot
from nasnet_keras.search.strategies.strategy import Strategy


def resume(
    run_dir: RunDirectory, strategy: Strategy, say: Callable[[str], None]
) -> tuple[SearchState, Place]:
    """Reads a journal and restores, in place, the strategy's state at its end.

    From the last snapshot on, all calls of the strategy are replayed, and its proposals are
    compared with the journal's.

    Returns:
        The state of the search, and the journal's end.

    Raises:
        JournalError: The journal is damaged, or belongs to a different strategy.
        OSError: It cannot be read.
        ValueError: The snapshot is of the journal, and not what the strategy keeps.
    """
    snapshot = load_snapshot(run_dir.snapshot)
    resumed = _replay(run_dir, strategy, snapshot)
    if resumed is None:
        say(f"{run_dir.snapshot} does not belong to the journal: replaying all of it")
        resumed = _replay(run_dir, strategy, None)
        assert resumed is not None
    state, place = resumed
    if run_dir.journal.exists() and run_dir.journal.stat().st_size > place.offset:
        say(f"{run_dir.journal}: dropped line {place.line + 1}, which is incomplete")
    return state, place


def _replay(
    run_dir: RunDirectory, strategy: Strategy, snapshot: Snapshot | None
) -> tuple[SearchState, Place] | None:
    """Returns `None`, the strategy unchanged, if the snapshot's position is not in the journal."""
    state, place = SearchState(), Place()
    loaded = snapshot is None
    for event, result, place in replay(run_dir.journal, state):
        if loaded:
            if event["event"] == "asked":
                _check_proposal(run_dir, strategy, event, place)
            elif result is not None:
                strategy.tell([result])
        elif snapshot is not None and place == snapshot.place:
            _load(run_dir, strategy, snapshot)
            loaded = True
    return (state, place) if loaded else None


def _load(run_dir: RunDirectory, strategy: Strategy, snapshot: Snapshot) -> None:
    try:
        strategy.load_state_dict(snapshot.state)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # Some of it may be set by now, so that this strategy cannot replay the journal any more.
        raise ValueError(
            f"{run_dir.snapshot} does not fit the search ({type(error).__name__}: {error}): remove "
            "it, and the journal is replayed without it"
        ) from error


def _check_proposal(
    run_dir: RunDirectory, strategy: Strategy, event: Mapping[str, Any], place: Place
) -> None:
    proposals = strategy.ask(1)
    if [list(p.architecture) for p in proposals] != [event["architecture"]]:
        raise JournalError(
            f"{run_dir.journal}: line {place.line}: the strategy now proposes something else for "
            f"number {event['number']}; a different version, backend or machine began the search"
        )
