"""When a search ends, and why it did."""

from __future__ import annotations

from nasnet_keras.search.engine.costs import known_costs
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.progress import format_seconds
from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.search.strategies.strategy import Strategy

# Consecutive proposals that were not trained: beyond a limit, or already known.
_MAX_FRUITLESS = 1000
# Consecutive architectures rejected by their children. Each costs a worker the time to build a
# network; more than a level of the paper's progressive search, whose order is not random.
_MAX_REJECTED = 300


class SearchFailed(RuntimeError):
    """The search cannot continue; its directory is intact, and the same call tries again."""


def is_fruitless(state: SearchState) -> bool:
    """Returns whether asking for more proposals is pointless."""
    return state.fruitless >= _MAX_FRUITLESS or state.rejected_in_a_row >= _MAX_REJECTED


def why_ended(
    state: SearchState, strategy: Strategy, limits: Limits, budget: int | None
) -> str | None:
    """Returns why the search ended, as one line; `None` where the budget or the strategy did.

    No child is running.

    Raises:
        SearchFailed: All children failed, or the strategy is stuck.
        ValueError: Every architecture was rejected, by the limits or by its child.
    """
    if state.started == 0 and state.rejected:
        raise ValueError(f"none of {state.asked} architectures {_why_none_started(state, limits)}")
    if state.failed and not state.trained:
        raise SearchFailed(
            f"no child was trained: {state.failed} failed, the last with: {state.last_error}"
        )
    if strategy.dead_end is not None:
        return f"stopped: no {strategy.dead_end} {_why_dead_end(state, limits)}"
    if budget is not None and state.started >= budget:
        return None
    if state.rejected_in_a_row >= _MAX_REJECTED:
        return (
            f"stopped: the last {state.rejected_in_a_row} architectures were rejected by their "
            f"children: {state.last_rejection}"
        )
    if state.fruitless >= _MAX_FRUITLESS:
        return (
            f"stopped: of the last {state.fruitless} proposals, none was new and within the limits"
        )
    if not strategy.finished:
        raise SearchFailed("the strategy is waiting for results, but no child is running")
    return None


def why_out_of_time(state: SearchState, seconds: float) -> str:
    """Returns what a search has done when its time is up, as one line."""
    return (
        f"stopped after {format_seconds(seconds)}, as max_hours says, with {state.done} children "
        "done; a larger max_hours goes on"
    )


def _why_none_started(state: SearchState, limits: Limits) -> str:
    least = ", ".join(
        cost.quantity(state.smallest)
        for cost in known_costs([state.smallest])
        if cost.key in limits.by_cost
    )
    if least:
        return f"meets {limits}; the least were {least}"
    return f"was trained; the last was rejected: {state.last_rejection}"


def _why_dead_end(state: SearchState, limits: Limits) -> str:
    reasons = []
    if state.rejected:
        limited = limits != Limits()
        reasons.append(
            f"meets {limits}" if limited else f"was accepted (last: {state.last_rejection})"
        )
    if state.failed or not reasons:
        reasons.append(f"could be trained (last error: {state.last_error})")
    return " and ".join(reasons)
