"""Workers on Ray of which each step takes the first results."""

import itertools
import os
import signal
import time

import pytest

from tests.training.backup_workers import computers

ray = pytest.importorskip("ray")

from nasnet_keras.training.backup_workers import pool as module
from nasnet_keras.training.backup_workers.pool import (
    StepGivenUp,
    WorkerError,
    WorkerPool,
)


@pytest.fixture(scope="module", autouse=True)
def _cluster():
    ray.init(
        address="local",
        num_cpus=8,
        include_dashboard=False,
        logging_level="error",
        log_to_driver=False,
    )
    yield
    ray.shutdown()


@pytest.fixture
def make_pool():
    pools = []

    def make(*args, **options):
        pools.append(WorkerPool(*args, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def steps(first):
    """Yields numbers of steps, for a minute or two."""
    deadline = time.monotonic() + 120
    for step in itertools.count(first):
        assert time.monotonic() < deadline
        yield step


def test_a_step_has_the_first_results_and_what_comes_late_is_dropped(make_pool):
    pool = make_pool(computers.late_with_share_0_of_step_0, needed=2, spare=1)
    pool.wait_until_ready(120, workers=3)
    # Worker 0 is late with step 0, and without work for step 1 too.
    assert [result[:3] for result in pool.step(0, "a")] == [(0, 1, "a"), (0, 2, "a")]
    assert [result[:3] for result in pool.step(1, "b")] == [(1, 1, "b"), (1, 2, "b")]
    # Then it takes part again.
    for step in steps(2):
        results = pool.step(step, step)
        assert {(result[0], result[2]) for result in results} == {(step, step)}
        if results[0][1] == 0:
            break


def test_workers_that_die_are_replaced_and_their_shares_done_by_others(make_pool):
    said = []
    pool = make_pool(computers.telling, needed=2, say=said.append)
    pool.wait_until_ready(120)
    before = [result[3] for result in pool.step(0, None)]
    os.kill(before[1], signal.SIGKILL)
    results = pool.step(1, None)
    assert [result[:2] for result in results] == [(1, 0), (1, 1)]
    after = [result[3] for result in results]
    assert after[0] == before[0] and after[1] not in before
    assert "worker 1 died (ActorDiedError); another is started" in said
    assert said[-1] == "worker 1 has started anew"


def test_those_left_go_on_with_the_shares_of_the_missing_if_asked_to(make_pool, tmp_path):
    marker = tmp_path / "marker"
    make = lambda: computers.telling_unless(str(marker))  # noqa: E731
    pool = make_pool(make, needed=2, go_on=True)
    pool.wait_until_ready(120)
    before = [result[3] for result in pool.step(0, None)]
    marker.touch()
    os.kill(before[0], signal.SIGKILL)
    for step in (1, 2):
        results = pool.step(step, None)
        assert [result[1] for result in results] == [0, 1]
        assert {result[3] for result in results} == {before[1]}
    marker.unlink()
    for step in steps(3):
        if len({result[3] for result in pool.step(step, None)}) == 2:
            break


def test_a_step_that_lacks_workers_is_given_up_when_the_process_is_told_to_stop(
    make_pool, tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "_SILENT_SECONDS", 0.0)
    marker, said = tmp_path / "marker", []
    stops = lambda: "1 of 2 workers are there; others are started" in said  # noqa: E731
    make = lambda: computers.telling_unless(str(marker))  # noqa: E731
    pool = make_pool(make, needed=2, say=said.append, asked_to_stop=stops)
    pool.wait_until_ready(120)
    pid = pool.step(0, None)[0][3]
    marker.touch()
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(StepGivenUp):
        pool.step(1, None)
    marker.unlink()


def test_workers_move_on_to_other_shares_in_turn(make_pool):
    pool = make_pool(computers.telling, needed=2, turn_steps=2)
    pool.wait_until_ready(120)
    pids = [[result[3] for result in pool.step(step, None)] for step in range(5)]
    assert pids[0] == pids[1] == pids[4] and pids[2] == pids[3] == pids[0][::-1]


def test_what_no_other_worker_could_compute_either_ends_the_step_with_a_line(make_pool):
    pool = make_pool(computers.always(computers.refusing), needed=1)
    pool.wait_until_ready(120)
    with pytest.raises(WorkerError, match=r"^worker 0: image 7 is damaged$"):
        pool.step(0, None)
    pool = make_pool(computers.always(computers.dying), needed=1, say=lambda text: None)
    pool.wait_until_ready(120)
    with pytest.raises(WorkerError, match="^3 workers have died and no step was done meanwhile"):
        pool.step(0, None)


def test_too_few_workers_in_time_are_refused(make_pool, tmp_path):
    marker, said = tmp_path / "marker", []
    marker.touch()
    make = lambda: computers.telling_unless(str(marker))  # noqa: E731
    pool = make_pool(make, needed=2, say=said.append)
    with pytest.raises(ValueError, match="^waited 1 s, and 0 of 2 workers are there: has the"):
        pool.wait_until_ready(1)
