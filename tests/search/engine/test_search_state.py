"""The state of a search, event by event."""

from pathlib import Path

import pytest

from nasnet_keras.search.engine.journal import Journal, JournalError
from nasnet_keras.search.engine.search_state import SearchState, replay

ASKED = {"event": "asked", "number": 0, "architecture": [1], "key": "k"}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"event": "asked", "number": 0, "key": "k"}, "line 1 lacks 'architecture'"),
        (ASKED | {"number": "0"}, "line 1: number is '0'"),
        (ASKED | {"architecture": [[1]]}, r"line 1: architecture is \[\[1\]\]"),
        (ASKED | {"architecture": 7}, "line 1: architecture is 7"),
        (ASKED | {"key": ["k"]}, r"line 1: key is \['k'\]"),
        ({"event": "started", "number": 10**400, "attempt": 0}, "is not open"),
    ],
)
def test_events_of_any_shape_are_refused_with_their_line(
    tmp_path: Path, event: dict, message: str
) -> None:
    with Journal(tmp_path / "journal.jsonl") as journal:
        journal.append(**event)
    with pytest.raises(JournalError, match=message):
        list(replay(tmp_path / "journal.jsonl", SearchState()))


def test_impossible_events_are_refused() -> None:
    state = SearchState()
    asked = {"event": "asked", "time": 1.0, "number": 0, "architecture": [1], "key": "k"}
    with pytest.raises(ValueError, match="not open"):
        state.apply({"event": "started", "time": 1.0, "number": 0, "attempt": 0})
    state.apply(asked)
    with pytest.raises(ValueError, match="proposal 0 follows 0"):
        state.apply(asked)
    with pytest.raises(ValueError, match="never started"):
        state.apply({"event": "result", "time": 1.0, "number": 0, "reward": 1.0})
    with pytest.raises(ValueError, match="unknown event 'guessed'"):
        state.apply({"event": "guessed", "time": 1.0})
