"""The state of a search, event by event."""

import pytest

from nasnet_keras.search.engine.search_state import SearchState


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
