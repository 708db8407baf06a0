"""A search: what is trained, what is told, and what a cut changes (nothing)."""

import json
import os
import random
from pathlib import Path

import pytest

from nasnet_keras.directory_lock import locked
from nasnet_keras.search import CategoricalSpace, Proposal, Result, get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment, SearchFailed
from nasnet_keras.search.engine.journal import JournalError, read_journal
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.engine.search_state import SearchState
from nasnet_keras.search.executors.executor import Job, Outcome
from nasnet_keras.search.executors.simulated_executor import SimulatedExecutor
from tests.search.quick_children import quick

TABLE = CategoricalSpace("table", {"a": range(4), "b": range(5)})
PNAS = get_space("pnas", num_blocks=1)


class Cut(BaseException):
    """The driver is killed."""


class Workers(SimulatedExecutor):
    """Children of different length that end in a fixed order; cut off after some of them."""

    def __init__(self, workers: int = 3, child=quick, cut_after: int | None = None) -> None:
        super().__init__(child, lambda job: 10.0 + job.seed % 17 * 100, workers)
        self.jobs: list[Job] = []
        self.cut_after = cut_after

    def submit(self, job: Job) -> None:
        self.jobs.append(job)
        super().submit(job)

    def wait(self, timeout: float) -> list[Outcome]:
        if self.cut_after is not None and len(self.jobs) > self.cut_after:
            raise Cut
        return super().wait(timeout)


class InOrder(Workers):
    """The outcomes of a journal, in its order."""

    def __init__(self, rewards: dict[int, float], workers: int = 3) -> None:
        super().__init__(workers)
        self.rewards = rewards
        self.waiting: set[int] = set()

    def submit(self, job: Job) -> None:
        self.waiting.add(job.number)

    def wait(self, timeout: float) -> list[Outcome]:
        number = next(n for n in self.rewards if n in self.waiting)
        self.waiting.remove(number)
        return [Outcome(number, {"reward": self.rewards[number]})]


def experiment(directory: Path, name: str = "evolution", space=TABLE, **options) -> Experiment:
    sizes = {
        "evolution": {"population_size": 8, "sample_size": 3},
        "reinforce": {"units": (8,), "embedding_size": 8, "batch_size": 6},
    }.get(name, {})
    lines: list[str] = []
    search = Experiment(
        RunDirectory(directory),
        get_strategy(name, space, 0, **sizes),
        {"child": "quick"},
        say=lines.append,
        **options,
    )
    search.lines = lines  # type: ignore[attr-defined]
    return search


def events(directory: Path, *kinds: str) -> list[dict]:
    found = [event for event, _ in read_journal(directory / "journal.jsonl")]
    return [event for event in found if not kinds or event["event"] in kinds]


def told(directory: Path) -> list[tuple]:
    """Everything a strategy heard and said, in order."""
    return [
        (e["event"], e["number"], tuple(e.get("architecture", ())), e.get("reward"))
        for e in events(directory, "asked", "result", "repeated", "rejected")
    ]


def test_every_child_is_settled_once_and_the_budget_is_kept(tmp_path: Path) -> None:
    workers = Workers()
    state = experiment(tmp_path).run(workers, 12)
    assert state.trained == state.started == 12 == len(workers.jobs)
    settled = [e["number"] for e in events(tmp_path, "result", "repeated")]
    assert sorted(settled) == list(range(state.asked))
    assert state.best is not None
    assert state.best.reward == max(e["reward"] for e in events(tmp_path, "result"))


def test_children_s_directories_do_not_depend_on_the_working_directory(
    tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workers = Workers()
    experiment(Path("run")).run(workers, 2)
    assert [job.directory for job in workers.jobs] == [
        tmp_path / "run" / "children" / str(job.number) for job in workers.jobs
    ]


def test_identical_architectures_are_trained_once_and_told_every_time(tmp_path: Path) -> None:
    workers = Workers()
    state = experiment(tmp_path, space=PNAS).run(workers, 60)
    keys = [job.key for job in workers.jobs]
    assert len(set(keys)) == len(keys) == 60
    rewards = {e["number"]: e["reward"] for e in events(tmp_path, "result")}
    repeated = events(tmp_path, "repeated")
    assert len(repeated) == state.repeated > 10
    for event in repeated:
        assert event["reward"] == rewards[event["of"]]
    asked = {e["number"]: e for e in events(tmp_path, "asked")}
    for event in repeated:
        first, again = asked[event["of"]]["architecture"], asked[event["number"]]["architecture"]
        assert PNAS.canonical(first) == PNAS.canonical(again)


def test_a_strategy_with_nothing_new_ends_the_search(tmp_path: Path) -> None:
    search = experiment(tmp_path)
    state = search.run(Workers(), 100)
    assert state.trained == 20 == TABLE.count()
    assert "none was new" in search.lines[-1]  # type: ignore[attr-defined]


def test_results_are_written_before_more_is_started(tmp_path: Path) -> None:
    class Careful(Workers):
        def submit(self, job: Job) -> None:
            started = {e["number"] for e in events(tmp_path, "started")}
            asked = {e["number"] for e in events(tmp_path, "asked")}
            assert job.number in started & asked
            super().submit(job)

    experiment(tmp_path).run(Careful(), 10)


@pytest.mark.parametrize(("name", "longest"), [("evolution", 9), ("random", 9), ("reinforce", 28)])
def test_a_search_cut_off_anywhere_goes_on_as_if_it_were_not(
    name: str, longest: int, tmp_path: Path
) -> None:
    moments = random.Random(0)
    space = get_space("pnas", num_blocks=2)
    killed = tmp_path / "killed"
    cuts = 0
    for _ in range(100):
        search = experiment(killed, name, space)
        try:
            search.run(Workers(cut_after=moments.randint(longest // 2, longest)), 30)
            break
        except Cut:
            cuts += 1
            # A kill while writing: the journal ends in the middle of a line.
            journal = killed / "journal.jsonl"
            if cuts % 2:
                with open(journal, "ab") as file:
                    file.write(b'{"event":"asked","time":1')
    assert cuts >= 1
    numbers = [e["number"] for e in events(killed, "result")]
    assert len(set(numbers)) == len(numbers) == 30

    rewards = {e["number"]: e["reward"] for e in events(killed, "result")}
    alone = tmp_path / "alone"
    experiment(alone, name, space).run(InOrder(rewards), 30)
    assert told(alone) == told(killed)


def test_every_prefix_of_a_journal_leads_to_the_same_proposals(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    experiment(whole, space=PNAS).run(Workers(), 15)
    rewards = {e["number"]: e["reward"] for e in events(whole, "result")}
    lines = (whole / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 3):
        part = tmp_path / str(count)
        part.mkdir()
        (part / "journal.jsonl").write_bytes(b"".join(lines[:count]))
        (part / "config.json").write_bytes((whole / "config.json").read_bytes())
        experiment(part, space=PNAS).run(InOrder(rewards), 15)
        assert told(part) == told(whole), f"cut after line {count}"


def test_fewer_workers_than_before_run_no_more_children_than_they_are(tmp_path: Path) -> None:
    with pytest.raises(Cut):
        experiment(tmp_path, space=PNAS).run(Workers(5, cut_after=6), 20)
    left = {e["number"] for e in events(tmp_path, "started")}
    left -= {e["number"] for e in events(tmp_path, "result")}
    assert len(left) == 5
    # This one raises where a job comes while all are busy.
    workers = Workers(2)
    state = experiment(tmp_path, space=PNAS).run(workers, 20)
    assert state.trained == 20
    numbers = [job.number for job in workers.jobs]
    assert numbers[:5] == sorted(left) and len(set(numbers)) == len(numbers)
    # What it proposed follows from the journal: it is replayed.
    (tmp_path / "snapshot.npz").unlink()
    assert experiment(tmp_path, space=PNAS).run(Workers(1), 21).trained == 21


def test_a_snapshot_saves_the_replay_and_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("nasnet_keras.search.engine.experiment._SNAPSHOT_SECONDS", 0.0)
    with pytest.raises(Cut):
        experiment(tmp_path).run(Workers(cut_after=9), 15)
    search = experiment(tmp_path)
    asked: list[int] = []
    ask = search.strategy.ask

    def counted(n: int = 1) -> list[Proposal]:
        asked.append(n)
        return ask(n)

    monkeypatch.setattr(search.strategy, "ask", counted)
    with pytest.raises(Cut):
        search.run(Workers(cut_after=0), 15)
    assert asked == []
    experiment(tmp_path).run(Workers(), 15)
    (tmp_path / "snapshot.npz").write_bytes(b"broken")
    state = experiment(tmp_path).run(Workers(), 16)
    assert state.trained == 16


def test_a_snapshot_of_another_journal_is_not_used(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    experiment(one).run(Workers(), 10)
    experiment(two).run(Workers(), 12)
    (one / "snapshot.npz").write_bytes((two / "snapshot.npz").read_bytes())
    search = experiment(one)
    assert search.run(Workers(), 12).trained == 12
    assert "does not belong" in search.lines[0]  # type: ignore[attr-defined]


def test_a_failing_child_is_tried_three_times_and_told_as_no_result(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        if job.number == 2:
            raise ValueError("broken")
        return quick(job)

    search = experiment(tmp_path, "random")
    heard: list[Result] = []
    tell = search.strategy.tell
    search.strategy.tell = lambda results: (heard.extend(results), tell(results))[1]  # type: ignore
    state = search.run(Workers(child=child), 8)
    failed = events(tmp_path, "failed")
    assert [(e["number"], e["attempt"], e["final"]) for e in failed] == [
        (2, 0, False),
        (2, 1, False),
        (2, 2, True),
    ]
    assert failed[0]["error"] == "ValueError: broken"
    assert state.failed == 1 and state.trained == 7
    assert [r for r in heard if r.number == 2] == [Result(2, None)]


def test_a_child_whose_time_was_over_is_not_tried_again(tmp_path: Path) -> None:
    class Ending(Workers):
        def wait(self, timeout: float) -> list[Outcome]:
            ends = super().wait(timeout)
            error = "TimeLimit: more than 5 s"
            return [Outcome(o.number, error=error) if o.number == 2 else o for o in ends]

    state = experiment(tmp_path, "random").run(Ending(), 6)
    assert state.failed == 1 and state.retries == 0 and state.trained == 5
    (failed,) = events(tmp_path, "failed")
    assert failed["final"] and failed["error"] == "TimeLimit: more than 5 s"


def test_a_lost_child_costs_no_attempt(tmp_path: Path) -> None:
    class Losing(Workers):
        def wait(self, timeout: float) -> list[Outcome]:
            return [
                Outcome(o.number, error="gone", lost=True, seconds=1.0)
                if self.lost.setdefault(o.number, 0) < 5 and o.number == 1
                and not self.lost.update({1: self.lost[1] + 1})
                else o
                for o in super().wait(timeout)
            ]  # fmt: skip

        lost: dict[int, int] = {}

    state = experiment(tmp_path, "random").run(Losing(), 6)
    assert state.trained == 6 and state.retries == 5 and state.failed == 0


def test_ten_failures_in_a_row_end_the_search_until_it_is_called_again(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        raise OSError("no disk")

    with pytest.raises(SearchFailed, match="OSError: no disk"):
        experiment(tmp_path, "random").run(Workers(child=child), 20)
    assert len([e for e in events(tmp_path, "failed") if e["final"]]) == 10


def test_a_budget_of_which_every_child_failed_is_no_success(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        raise OSError("no disk")

    for _ in range(2):
        search = experiment(tmp_path, "random")
        with pytest.raises(
            SearchFailed, match="no child was trained: 4 failed, .* OSError: no disk"
        ):
            search.run(Workers(child=child), 4)
    assert experiment(tmp_path, "random").run(Workers(), 5).trained == 1


def test_limits_are_checked_before_training(tmp_path: Path) -> None:
    costs = lambda choice: {"parameters": 100 * choice["a"], "multiply_adds": choice["b"]}  # noqa: E731
    workers = Workers()
    search = experiment(tmp_path, "random", limits=Limits(100, 2), costs=costs)
    state = search.run(workers, 6)
    assert state.trained == 6 == 2 * 3 and state.rejected > 0
    assert all(j.description["a"] <= 1 and j.description["b"] <= 2 for j in workers.jobs)
    assert "max_parameters=100 is below its" in json.dumps(events(tmp_path, "rejected"))


def test_limits_that_nothing_meets_are_an_error(tmp_path: Path) -> None:
    costs = lambda choice: {"parameters": 100 + choice["a"]}  # noqa: E731
    search = experiment(tmp_path, "random", limits=Limits(max_parameters=99), costs=costs)
    with pytest.raises(ValueError, match="max_parameters=99.*the least were 100 parameters"):
        search.run(Workers(), 6)
    with pytest.raises(ValueError, match="cannot be counted"):
        experiment(tmp_path / "other", limits=Limits(max_parameters=99))


def test_a_child_may_turn_its_architecture_down(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        return {"reward": None, "rejected": "too slow"} if job.number == 1 else quick(job)

    state = experiment(tmp_path, "random").run(Workers(child=child), 6)
    # A rejected one does not count towards the budget.
    assert state.rejected == 1 and state.trained == 6 == state.done


@pytest.mark.parametrize("budget", [40, None])
@pytest.mark.parametrize("space", [TABLE, get_space("pnas", num_blocks=2)], ids=["few", "many"])
def test_a_limit_that_only_a_child_can_check_ends_the_search_if_nothing_meets_it(
    budget: int | None, space, tmp_path: Path
) -> None:
    limits = Limits(max_latency_ms=0.001)

    def child(job: Job) -> dict:
        values = {"parameters": 5, "latency_ms": 2.0 + job.seed % 7}
        return {"reward": None, "rejected": limits.violation(values), **values}

    for _ in range(2):
        workers = Workers(child=child)
        with pytest.raises(ValueError, match="meets max_latency_ms=0.001; the least were 2 ms"):
            experiment(tmp_path, "random", space, limits=limits).run(workers, budget)
        assert len(workers.jobs) < 310
    with pytest.raises(ValueError, match="was trained; the last was rejected: max_latency_ms"):
        experiment(tmp_path / "other", "random").run(Workers(child=child), budget)


def test_a_limit_that_nothing_meets_any_more_ends_the_search_with_a_line(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        return {"reward": None, "rejected": "too slow"} if job.number > 3 else quick(job)

    search = experiment(tmp_path, "random", get_space("pnas", num_blocks=2))
    state = search.run(Workers(child=child), 40)
    assert state.trained == 4 == state.started and state.rejected < 310
    assert "architectures were rejected by their children: too slow" in search.lines[-1]  # type: ignore


def test_rejected_children_change_nothing_when_a_search_is_resumed(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        return {"reward": None, "rejected": "too slow"} if job.seed % 3 else quick(job)

    space = get_space("pnas", num_blocks=2)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    experiment(whole, space=space).run(Workers(1, child), 12)
    for after in (5, 4, 3, None):
        try:
            experiment(cut, space=space).run(Workers(1, child, after), 12)
        except Cut:
            continue
    assert told(cut) == told(whole)


def test_another_search_is_refused_with_the_difference(tmp_path: Path) -> None:
    experiment(tmp_path).run(Workers(), 3)
    with pytest.raises(ValueError, match=r'strategy.name was "evolution", now "random"'):
        experiment(tmp_path, "random")
    with pytest.raises(ValueError, match=r"limits.max_parameters was null, now 5"):
        experiment(tmp_path, limits=Limits(5), costs=lambda choice: {"parameters": 1})
    with pytest.raises(ValueError, match="space.space was 'table', now 'pnas'"):
        experiment(tmp_path, space=PNAS)


def test_two_drivers_at_once_are_refused(tmp_path: Path) -> None:
    with locked(tmp_path):
        with pytest.raises(ValueError, match=f"is being written by process {os.getpid()} "):
            experiment(tmp_path).run(Workers(), 3)


def test_a_journal_that_cannot_be_the_strategy_s_is_refused(tmp_path: Path) -> None:
    experiment(tmp_path).run(Workers(), 5)
    (tmp_path / "snapshot.npz").unlink()
    search = experiment(tmp_path)
    search.strategy._generator = lambda number: __import__("numpy").random.default_rng(7)
    with pytest.raises(JournalError, match=r"line \d+: .*proposes something else"):
        search.run(Workers(), 6)


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


def test_progressive_search_goes_through_its_levels(tmp_path: Path) -> None:
    strategy = get_strategy(
        "progressive", get_space("pnas", num_blocks=2), 0, beam_size=8, epochs=2, members=1
    )
    state = Experiment(RunDirectory(tmp_path), strategy, {}).run(Workers(4))
    assert state.trained == 136 + 8 and strategy.finished
    assert all("predicted_reward" in e for e in events(tmp_path, "asked")[136:])


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(max_parameters=9), "no cell of level 2 meets max_parameters=9"),
        (None, "no cell of level 2 could be trained (last error: ValueError: too large)"),
    ],
)
def test_progressive_search_says_which_level_it_cannot_pass(
    limits: Limits | None, expected: str, tmp_path: Path
) -> None:
    def child(job: Job) -> dict:
        if job.number >= 136:
            raise ValueError("too large")
        return quick(job)

    strategy = get_strategy(
        "progressive", get_space("pnas", num_blocks=3), 0, beam_size=8, epochs=2, members=1
    )
    lines: list[str] = []
    state = Experiment(
        RunDirectory(tmp_path),
        strategy,
        {},
        limits,
        lambda genotype: {"parameters": 5 * len(genotype.normal.blocks)},
        lines.append,
    ).run(Workers(4, child))
    assert state.trained == 136 and state.rejected + state.failed == 8
    assert lines == [f"stopped: {expected}"]
