"""The state of a search: the sum of its journal's events."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nasnet_keras.search.engine.journal import JournalError, Place, read_journal
from nasnet_keras.search.spaces.space import Architecture
from nasnet_keras.search.strategies.strategy import Result
from nasnet_keras.text.plain_text import shown

_NUMBER = (int, float)
_NUMBER_OR_NONE = (int, float, type(None))
# Of the values of events.
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("event", "key", "reason"), str),
    **dict.fromkeys(("number", "of", "attempt", "workers"), int),
    **dict.fromkeys(("time", "seconds"), _NUMBER),
    **dict.fromkeys(("reward", "predicted_reward", "budget"), _NUMBER_OR_NONE),
    **dict.fromkeys(("lost", "final"), bool),
    "error": (str, type(None)),
    "architecture": list,
    "values": dict,
}


@dataclass
class OpenChild:
    """A proposal without a result.

    Attributes:
        number: The proposal's number.
        architecture: Its decisions.
        key: The same for equivalent architectures.
        predicted_reward: The surrogate's prediction.
        started: Whether it is being trained; otherwise it waits for an identical one.
        failures: Attempts that failed.
        losses: Attempts that lost their process or machine.
    """

    number: int
    architecture: Architecture
    key: str
    predicted_reward: float | None = None
    started: bool = False
    failures: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Trained:
    """A child with a reward.

    Attributes:
        number: The proposal's number.
        architecture: Its decisions.
        reward: Its reward.
        predicted_reward: The surrogate's prediction.
        seconds: How long it took.
        values: The other values it reported.
    """

    number: int
    architecture: Architecture
    reward: float
    predicted_reward: float | None
    seconds: float
    values: dict[str, Any]

    @property
    def accuracy(self) -> float:
        """Its accuracy, which is the reward unless a cost is weighed against it."""
        return self.values.get("accuracy", self.reward)

    @property
    def rank(self) -> tuple[float, int]:
        """Sort key, best first: by reward, ties in the order of the proposals."""
        return -self.reward, self.number


class SearchState:
    """Counts and open proposals, brought up to date event by event.

    The same code runs during a search and when its journal is replayed. Of a settled proposal only
    the reward of its key is kept.

    Attributes:
        open: Proposals without a result, by number.
        training: The number of the child that is being trained, by key.
        known: Number and reward by key, of the first settled proposal of each key.
        asked: Proposals so far.
        started: Children whose training began, without those that rejected their architecture.
        trained: Children that ended with a reward.
        failed: Children that failed permanently.
        rejected: Architectures rejected, by a limit or by their child.
        repeated: Proposals identical to an earlier one.
        retries: Failed or lost attempts that were repeated.
        seconds: Total duration of all trained children.
        best: The child of the highest reward.
        just_trained: The child whose reward was in the last event, if any.
        smallest: The smallest cost of all rejected architectures, by key of the cost.
        last_rejection: Why the last rejected architecture was.
        last_error: The error of the last failed attempt.
        fruitless: Proposals since the last one that was started, in this session.
        rejected_in_a_row: Architectures rejected by their children since one was trained, in this
            session.
        failed_in_a_row: Children that failed permanently since one was trained, in this session.
        session: The last `opened` event: when the driver started, its budget and workers.
        earlier_seconds: From the first to the last event of each earlier session, together.
        first_time: Time of the first event, in seconds since 1970.
        last_time: Time of the last event.
    """

    def __init__(self) -> None:
        self.open: dict[int, OpenChild] = {}
        self.training: dict[str, int] = {}
        self.known: dict[str, tuple[int, float | None]] = {}
        self.asked = self.started = self.trained = self.failed = 0
        self.rejected = self.repeated = self.retries = 0
        self.seconds = 0.0
        self.best: Trained | None = None
        self.just_trained: Trained | None = None
        self.smallest: dict[str, float] = {}
        self.last_rejection = self.last_error = ""
        self.fruitless = self.rejected_in_a_row = self.failed_in_a_row = 0
        self.session: dict[str, Any] = {}
        self.earlier_seconds = 0.0
        self.first_time: float | None = None
        self.last_time: float | None = None

    @property
    def running(self) -> int:
        return len(self.training)

    @property
    def done(self) -> int:
        """Children that were trained or failed permanently."""
        return self.started - self.running

    @property
    def elapsed(self) -> float:
        """Seconds from the first event to the last."""
        return (self.last_time or 0.0) - (self.first_time or 0.0)

    @property
    def elapsed_in_sessions(self) -> float:
        """As `elapsed`, without the time when no driver ran."""
        began = self.session.get("time")
        now = 0.0 if began is None else max(0.0, (self.last_time or began) - began)
        return self.earlier_seconds + now

    def apply(self, event: Mapping[str, Any]) -> Result | None:
        """Applies one event.

        Returns:
            The result for the strategy, if the event settles a proposal.

        Raises:
            ValueError: The event cannot follow those before it.
        """
        if event["event"] == "opened":
            self.earlier_seconds = self.elapsed_in_sessions
        self.last_time = event["time"]
        if self.first_time is None:
            self.first_time = event["time"]
        self.just_trained = None
        match event["event"]:
            case "opened":  # A driver started or resumed.
                return self._opened(event)
            case "asked":  # A proposal.
                return self._asked(event)
            case "repeated":  # Identical to an earlier one, whose reward it gets.
                return self._repeated(event)
            case "rejected":  # Beyond a limit.
                return self._rejected(event)
            case "started":  # An attempt to train it.
                return self._started(event)
            case "failed":  # The attempt failed; permanently if `final`.
                return self._failed(event)
            case "result":  # Its reward.
                return self._result(event)
            case kind:
                raise ValueError(f"unknown event {kind!r}")

    def _opened(self, event: Mapping[str, Any]) -> None:
        self.session = dict(event)
        self.fruitless = self.rejected_in_a_row = self.failed_in_a_row = 0

    def _asked(self, event: Mapping[str, Any]) -> None:
        number = event["number"]
        if number != self.asked:
            raise ValueError(f"proposal {number} follows {self.asked - 1}")
        self.open[number] = OpenChild(
            number, tuple(event["architecture"]), event["key"], event.get("predicted_reward")
        )
        self.asked += 1
        self.fruitless += 1

    def _started(self, event: Mapping[str, Any]) -> None:
        child = self._child(event)
        if child.started:
            return  # Again, after a failure or after the driver died.
        if child.key in self.training or child.key in self.known:
            raise ValueError(f"child {child.number} is identical to one that was trained")
        child.started = True
        self.training[child.key] = child.number
        self.started += 1
        self.fruitless = 0

    def _failed(self, event: Mapping[str, Any]) -> Result | None:
        child = self._child(event, started=True)
        self.last_error = event["error"]
        if not event["final"]:
            self.retries += 1
            child.losses += event["lost"]
            child.failures += not event["lost"]
            return None
        self.failed += 1
        self.failed_in_a_row += 1
        return self._settle(child, None)

    def _result(self, event: Mapping[str, Any]) -> Result:
        child = self._child(event, started=True)
        reward = event["reward"]
        if reward is None:
            self.started -= 1
            self.rejected_in_a_row += 1
            self._count_rejected(str(event["values"].get("rejected", "")), event["values"])
            return self._settle(child, None)
        self.trained += 1
        self.failed_in_a_row = self.rejected_in_a_row = 0
        self.seconds += event["seconds"]
        predicted, seconds = child.predicted_reward, event["seconds"]
        self.just_trained = trained = Trained(
            child.number, child.architecture, reward, predicted, seconds, event["values"]
        )
        if self.best is None or trained.rank < self.best.rank:
            self.best = trained
        return self._settle(child, reward)

    def _rejected(self, event: Mapping[str, Any]) -> Result:
        self._count_rejected(event["reason"], event["values"])
        return self._settle(self._child(event), None)

    def _count_rejected(self, reason: str, values: Mapping[str, Any]) -> None:
        self.rejected += 1
        self.last_rejection = reason
        for name, value in values.items():
            if isinstance(value, int | float):
                self.smallest[name] = min(value, self.smallest.get(name, value))

    def _repeated(self, event: Mapping[str, Any]) -> Result:
        child = self._child(event)
        if self.known.get(child.key) != (event["of"], event["reward"]):
            raise ValueError(f"proposal {child.number} is not the same as {event['of']}")
        self.repeated += 1
        del self.open[child.number]
        return Result(child.number, event["reward"])

    def _settle(self, child: OpenChild, reward: float | None) -> Result:
        del self.open[child.number]
        self.training.pop(child.key, None)
        self.known[child.key] = (child.number, reward)
        return Result(child.number, reward)

    def _child(self, event: Mapping[str, Any], started: bool = False) -> OpenChild:
        child = self.open.get(event["number"])
        if child is None:
            raise ValueError(f"proposal {event['number']} is not open")
        if started and not child.started:
            raise ValueError(f"child {child.number} was never started")
        return child


def _check_types(event: Mapping[str, Any]) -> None:
    """Refuses an event whose values are of other types than those that are written."""
    for name, value in event.items():
        if not isinstance(value, _TYPES.get(name, object)):
            raise ValueError(f"{name} is {shown(value)}")
    if not all(type(choice) is int for choice in event.get("architecture", ())):
        raise ValueError(f"architecture is {shown(event['architecture'])}")


def replay(
    path: str | os.PathLike[str], state: SearchState
) -> Iterator[tuple[dict[str, Any], Result | None, Place]]:
    """Applies a journal's events to a state, in place, one by one.

    Yields:
        An applied event, its result for the strategy, and the position after it.

    Raises:
        JournalError: A line is damaged, or its event is impossible.
        OSError: The file cannot be read.
    """
    for event, place in read_journal(path):
        try:
            _check_types(event)
            result = state.apply(event)
        except KeyError as error:
            raise JournalError(f"{os.fspath(path)}: line {place.line} lacks {error}") from None
        except ValueError as error:
            raise JournalError(f"{os.fspath(path)}: line {place.line}: {error}") from None
        yield event, result, place
