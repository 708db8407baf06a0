"""The best children of a search, from its journal."""

from __future__ import annotations

import heapq
import os

from nasnet_keras.search.engine.search_state import SearchState, Trained, replay


def best_children(journal: str | os.PathLike[str], count: int) -> tuple[list[Trained], SearchState]:
    """Reads a journal, also of a search that goes on.

    Args:
        journal: The journal.
        count: How many children; fewer come where fewer have a reward.

    Returns:
        The children of the highest rewards, best first, among equals the first trained; and the
        state at the journal's end.

    Raises:
        JournalError: The journal is damaged.
        OSError: It cannot be read.
        ValueError: `count` is below 1.
    """
    if count < 1:
        raise ValueError(f"the best 1 or more can be listed, got {count}")
    state = SearchState()
    heap: list[tuple[float, int, Trained]] = []
    for event, _, _ in replay(journal, state):
        trained = state.take_trained() if event["event"] == "result" else None
        if trained is not None:
            # Numbers differ, so that the children themselves are never compared.
            entry = (trained.reward, -trained.number, trained)
            if len(heap) < count:
                heapq.heappush(heap, entry)
            else:
                heapq.heappushpop(heap, entry)
    return [trained for _, _, trained in sorted(heap, reverse=True)], state
