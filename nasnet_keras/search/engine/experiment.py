"""The search loop: proposals to workers, rewards to the strategy, journaled before each step."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from nasnet_keras.files.directory_lock import locked
from nasnet_keras.search.engine.clock import SearchClock
from nasnet_keras.search.engine.ending import (
    SearchFailed,
    is_fruitless,
    why_ended,
    why_out_of_time,
)
from nasnet_keras.search.engine.journal import Journal
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.resume import resume
from nasnet_keras.search.engine.run_directory import RunDirectory, SearchConfig
from nasnet_keras.search.engine.search_state import OpenChild, SearchState
from nasnet_keras.search.engine.snapshot import Snapshot, save_snapshot
from nasnet_keras.search.executors.executor import Executor, Job, Outcome
from nasnet_keras.search.strategies.strategy import Result, Strategy
from nasnet_keras.settings import Count, Positive, check_value

RETRIES = 2
"""How often a failed child is retried; one that timed out is not."""

_MAX_LOSSES = 10
_MAX_FAILED_IN_A_ROW = 10
# At most this much of the strategy's computing time is repeated on resuming.
_SNAPSHOT_SECONDS = 2.0
_POLL_SECONDS = 1.0


class Experiment:
    """A search in a directory.

    Everything follows from the journal and the configuration. The process may be killed at any
    moment; the same call resumes it. Only children that were running are trained again, unless they
    have finished meanwhile.

    The strategy is told one result at a time, then asked for a proposal for each idle worker. So
    the proposals depend only on the order of the results, not on how many arrived together or on
    where the search was interrupted.

    Args:
        run_dir: The directory; created if missing.
        strategy: A new strategy, which knows its space.
        child: What identifies how children are trained, JSON-ready; part of the configuration.
        limits: What an architecture may cost.
        costs: Returns `parameters` and `multiply_adds` of a decoded architecture; needed for
            limits on them. A `ValueError` says that there is no such network.
        say: Called with lines for the user.

    Attributes:
        state: The state of the search so far.

    Raises:
        ValueError: The directory holds a different search, or a limit needs `costs`.
    """

    def __init__(
        self,
        run_dir: RunDirectory,
        strategy: Strategy,
        child: Mapping[str, Any],
        limits: Limits | None = None,
        costs: Callable[[Any], Mapping[str, int]] | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.run_dir = run_dir
        self.strategy = strategy
        self.limits = limits or Limits()
        self.state = SearchState()
        self._costs = costs
        self._say = say
        if self.limits.before_training and costs is None:
            raise ValueError(f"{self.limits}: the costs of these children cannot be counted")
        self._config = SearchConfig(
            strategy.space.config(),
            {"name": strategy.name, **strategy.settings()},
            strategy.seed,
            dict(child),
            self.limits.to_dict(),
        )
        run_dir.check_config(self._config)
        self._journal: Journal
        self._workers = 0
        self._budget: int | None = None
        self._to_submit: deque[OpenChild] = deque()
        self._submitted: set[int] = set()
        self._strategy_seconds = 0.0

    def run(
        self,
        executor: Executor,
        budget: int | None = None,
        report: Callable[[SearchState], None] | None = None,
        max_hours: float | None = None,
    ) -> SearchState:
        """Starts or resumes the search, until budget or time is spent or the strategy is finished.

        Args:
            executor: Where children are trained; closed at the end.
            budget: Children to train, including those of earlier calls, but not those that reject
                their architecture; `None`: as many as the strategy proposes.
            report: Called with the state about once a second.
            max_hours: Hours to search, including those of earlier calls; `None`: no limit. Children
                that still run then are ended; a call with more hours continues them.

        Returns:
            The state at the end.

        Raises:
            JournalError: The journal is damaged, or belongs to a different strategy.
            SearchFailed: Ten consecutive children failed permanently, or all of them.
            ValueError: The budget is below 1, another process is running this search, or no
                architecture meets the limits.
        """
        check_value("budget", Count | None, budget)
        check_value("max_hours", Positive | None, max_hours)
        with locked(self.run_dir.path), executor:
            self.run_dir.check_config(self._config)
            self.run_dir.write_config(self._config)
            self.state, place = resume(self.run_dir, self.strategy, self._say)
            clock = SearchClock(self.run_dir.clock, self.state.elapsed_in_sessions, max_hours)
            with Journal(self.run_dir.journal, place) as journal:
                self._journal = journal
                self._workers = executor.workers
                self._budget = budget
                self._to_submit.clear()
                self._submitted.clear()
                self._event(
                    "opened",
                    executor=type(executor).__name__,
                    workers=executor.workers,
                    budget=budget,
                )
                try:
                    if not clock.is_up:
                        self._settle_open()
                    self._train(executor, report or (lambda state: None), clock)
                finally:
                    clock.save()
        return self.state

    def _settle_open(self) -> None:
        """Continues with the proposals that were open when the journal ended."""
        # Those that were running come first.
        for child in sorted(self.state.open.values(), key=lambda child: not child.started):
            (self._start if child.started else self._settle)(child)
        self._fill()

    # ---- The search.

    def _train(
        self, executor: Executor, report: Callable[[SearchState], None], clock: SearchClock
    ) -> None:
        reported = time.monotonic()
        while not (out_of_time := clock.is_up):
            self._journal.flush()
            # More may be open than there are workers: an earlier call may have had more workers.
            while self._to_submit and len(self._submitted) < self._workers:
                child = self._to_submit.popleft()
                self._submitted.add(child.number)
                executor.submit(self._job(child))
            if self._strategy_seconds > _SNAPSHOT_SECONDS:
                self._save_snapshot()
            if not self.state.training:
                break
            clock.tick()
            for outcome in executor.wait(clock.seconds_left(_POLL_SECONDS)):
                self._submitted.discard(outcome.number)
                self._take(outcome)
                self._fill()
            if time.monotonic() - reported >= _POLL_SECONDS:
                reported = time.monotonic()
                report(self.state)
        self._save_snapshot()
        report(self.state)
        if out_of_time:
            why = why_out_of_time(self.state, clock.seconds)
        else:
            why = why_ended(self.state, self.strategy, self.limits, self._budget)
        if why is not None:
            self._say(why)

    def _take(self, outcome: Outcome) -> None:
        """Journals the end of a job and tells the strategy."""
        child = self.state.open.get(outcome.number)
        if child is None:
            return
        seconds = round(outcome.seconds, 3)
        if outcome.values is not None:
            values = dict(outcome.values)
            reward = values.pop("reward")
            self._event(
                "result", number=child.number, reward=reward, seconds=seconds, values=values
            )
        else:
            used, allowed = (
                (child.losses, _MAX_LOSSES) if outcome.lost else (child.failures, RETRIES)
            )
            # A timed-out child would resume where it stopped, with the same limit once more.
            final = outcome.timed_out or used >= allowed
            self._event(
                "failed",
                number=child.number,
                attempt=child.failures + child.losses,
                error=outcome.error,
                lost=outcome.lost,
                final=final,
                seconds=seconds,
            )
            if not final:
                self._start(child)
                return
            if self.state.failed_in_a_row >= _MAX_FAILED_IN_A_ROW:
                raise SearchFailed(
                    f"the last {_MAX_FAILED_IN_A_ROW} children failed, this one "
                    f"({self.run_dir.child(child.number)}) with: {outcome.error}"
                )
        for other in list(self.state.open.values()):
            if not other.started and other.key == child.key:
                self._settle(other)

    def _fill(self) -> None:
        """Asks for proposals until every worker has work."""
        while (
            self.state.running < self._workers
            # Those that wait for an identical one are not running; bound them too.
            and len(self.state.open) < 2 * self._workers
            and (self._budget is None or self.state.started < self._budget)
            and not is_fruitless(self.state)
        ):
            proposals = self._ask()
            if not proposals:
                break
            (proposal,) = proposals
            values: dict[str, Any] = {
                "number": proposal.number,
                "architecture": list(proposal.architecture),
                "key": _digest(self.strategy.space.key(proposal.architecture)),
            }
            if proposal.predicted_reward is not None:
                values["predicted_reward"] = proposal.predicted_reward
            self._event("asked", **values)
            self._settle(self.state.open[proposal.number])

    def _settle(self, child: OpenChild) -> None:
        """Starts, rejects or answers a proposal; it waits while an identical one is trained."""
        known = self.state.known.get(child.key)
        if known is not None:
            number, reward = known
            self._event("repeated", number=child.number, of=number, reward=reward)
            return
        if child.key in self.state.training:
            return
        if self.limits.before_training and self._costs is not None:
            costs: dict[str, Any] = {}
            try:
                costs |= self._costs(self.strategy.space.decode(child.architecture))
                reason = self.limits.violation(costs)
            except ValueError as error:
                reason = str(error)
            if reason is not None:
                self._event("rejected", number=child.number, reason=reason, values=costs)
                return
        self._start(child)

    def _start(self, child: OpenChild) -> None:
        self._event("started", number=child.number, attempt=child.failures + child.losses)
        self._to_submit.append(child)

    def _job(self, child: OpenChild) -> Job:
        return Job(
            child.number,
            child.failures + child.losses,
            child.key,
            self.strategy.space.decode(child.architecture),
            _child_seed(self.strategy.seed, child.key),
            self.run_dir.child(child.number),
        )

    # ---- Journaling and timing.

    def _event(self, event: str, **values: Any) -> None:
        result = self.state.apply(self._journal.append(event, **values))
        if result is not None:
            self._tell(result)

    def _ask(self) -> list[Any]:
        began = time.perf_counter()
        proposals = self.strategy.ask(1)
        self._strategy_seconds += time.perf_counter() - began
        return proposals

    def _tell(self, result: Result) -> None:
        began = time.perf_counter()
        self.strategy.tell([result])
        self._strategy_seconds += time.perf_counter() - began

    def _save_snapshot(self) -> None:
        self._journal.flush()
        save_snapshot(
            self.run_dir.snapshot, Snapshot(self._journal.place, self.strategy.state_dict())
        )
        self._strategy_seconds = 0.0


def _digest(key: str) -> str:
    """Returns a key of fixed length, which bounds the memory that long keys would take."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


def _child_seed(seed: int, key: str) -> int:
    """Returns a child's seed, below 2^31."""
    return int.from_bytes(hashlib.sha256(f"{seed} {key}".encode()).digest()[:4], "big") >> 1
