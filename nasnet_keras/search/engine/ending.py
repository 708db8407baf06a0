"""When a search is at its end, and what is to be said of it."""

from __future__ import annotations

from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.search.strategies.strategy import Strategy

# Proposals in a row of which none is worth training, beyond a limit or known already.
_MAX_FRUITLESS = 1000
# Children in a row that turn their architecture down. Each costs a worker the time to build a
# network; more than a level of the paper's progressive search, whose order is not random.
_MAX_TURNED_DOWN = 300


class SearchFailed(RuntimeError):
    """The search cannot go on; its directory is in order, and the same call tries again."""


def is_fruitless(state: SearchState) -> bool:
    """Returns whether more proposals are not worth asking for."""
    return state.fruitless >= _MAX_FRUITLESS or state.turned_down_in_a_row >= _MAX_TURNED_DOWN


def why_ended(
    state: SearchState, strategy: Strategy, limits: Limits, budget: int | None
) -> str | None:
    """Returns why there is nothing more to do, as one line; `None` where that is plain.

    Args:
        state: Where the search is; no child is running.
        strategy: Its strategy.
        limits: What an architecture may cost.
        budget: Children to train; `None`: as many as the strategy proposes.

    Raises:
        SearchFailed: All children failed, or nothing explains the end.
        ValueError: Every architecture was beyond the limits or turned down by its child.
    """
    if state.started == 0 and state.rejected:
        raise ValueError(f"none of {state.asked} architectures {_what_was_asked(state, limits)}")
    if state.failed and not state.trained:
        raise SearchFailed(
            f"no child was trained: {state.failed} failed, the last with: {state.last_error}"
        )
    if strategy.dead_end is not None:
        return f"stopped: no {strategy.dead_end} {_what_none_did(state, limits)}"
    if budget is not None and state.started >= budget:
        return None
    if state.turned_down_in_a_row >= _MAX_TURNED_DOWN:
        return (
            f"stopped: the last {state.turned_down_in_a_row} children turned their architectures "
            f"down: {state.last_rejection}"
        )
    if state.fruitless >= _MAX_FRUITLESS:
        return (
            f"stopped: of the last {state.fruitless} proposals, none was new and within the limits"
        )
    if not strategy.finished:
        raise SearchFailed("the strategy waits for results, and no child is running")
    return None


def _what_was_asked(state: SearchState, limits: Limits) -> str:
    least = ", ".join(
        cost.quantity(state.smallest)
        for cost in known_costs([state.smallest])
        if cost.key in limits.by_cost
    )
    if least:
        return f"meets {limits}; the least were {least}"
    return f"was trained; the last was turned down: {state.last_rejection}"


def _what_none_did(state: SearchState, limits: Limits) -> str:
    did = []
    if state.rejected:
        limited = limits != Limits()
        did.append(f"meets {limits}" if limited else f"was accepted (last: {state.last_rejection})")
    if state.failed or not did:
        did.append(f"could be trained (last error: {state.last_error})")
    return " and ".join(did)
