"""A search: what is trained, what is tried again, what a strategy is told."""

from pathlib import Path

from nasnet_keras.search import Result, get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job, Outcome
from tests.search.experiments import PNAS, Workers, events, experiment
from tests.search.quick_children import quick


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


def test_results_are_written_before_more_is_started(tmp_path: Path) -> None:
    class Careful(Workers):
        def submit(self, job: Job) -> None:
            started = {e["number"] for e in events(tmp_path, "started")}
            asked = {e["number"] for e in events(tmp_path, "asked")}
            assert job.number in started & asked
            super().submit(job)

    experiment(tmp_path).run(Careful(), 10)


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


def test_a_child_may_turn_its_architecture_down(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        return {"reward": None, "rejected": "too slow"} if job.number == 1 else quick(job)

    state = experiment(tmp_path, "random").run(Workers(child=child), 6)
    # A rejected one does not count towards the budget.
    assert state.rejected == 1 and state.trained == 6 == state.done


def test_progressive_search_goes_through_its_levels(tmp_path: Path) -> None:
    strategy = get_strategy(
        "progressive", get_space("pnas", num_blocks=2), 0, beam_size=8, epochs=2, members=1
    )
    state = Experiment(RunDirectory(tmp_path), strategy, {}).run(Workers(4))
    assert state.trained == 136 + 8 and strategy.finished
    assert all("predicted_reward" in e for e in events(tmp_path, "asked")[136:])
