"""The end of a search: what it says, and what is an error."""

from pathlib import Path

import pytest

from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment, SearchFailed
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.executor import Job
from tests.search.experiments import TABLE, Workers, events, experiment
from tests.search.quick_children import quick


def test_a_strategy_with_nothing_new_ends_the_search(tmp_path: Path) -> None:
    search = experiment(tmp_path)
    state = search.run(Workers(), 100)
    assert state.trained == 20 == TABLE.count()
    assert "none was new" in search.lines[-1]  # type: ignore[attr-defined]


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


def test_limits_that_nothing_meets_are_an_error(tmp_path: Path) -> None:
    costs = lambda choice: {"parameters": 100 + choice["a"]}  # noqa: E731
    search = experiment(tmp_path, "random", limits=Limits(max_parameters=99), costs=costs)
    with pytest.raises(ValueError, match="max_parameters=99.*the least were 100 parameters"):
        search.run(Workers(), 6)
    with pytest.raises(ValueError, match="cannot be counted"):
        experiment(tmp_path / "other", limits=Limits(max_parameters=99))


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
