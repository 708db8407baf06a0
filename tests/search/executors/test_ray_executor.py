"""Children on Ray."""

from pathlib import Path

import pytest

from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors.ray_executor import RayExecutor
from tests.search.driver import killed_search
from tests.search.quick_children import quick

ray = pytest.importorskip("ray")


def test_a_search_on_ray_killed_again_and_again_is_as_if_left_alone() -> None:
    counts = killed_search("ray", kills=2, children=6, workers=2)
    assert sum(counts["kills"].values()) == 2
    assert counts["events"]["result"] == 6


def test_a_relative_run_directory_is_the_driver_s(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "driver").mkdir()
    # Workers find this package from any directory.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.chdir(tmp_path / "worker")
    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="error")
    try:
        monkeypatch.chdir(tmp_path / "driver")
        search = Experiment(RunDirectory("run"), get_strategy("random", get_space("pnas")), {})
        assert search.run(RayExecutor(quick, 1), 1).trained == 1
    finally:
        ray.shutdown()
    assert (tmp_path / "driver" / "run" / "children" / "0" / "result.json").exists()
    assert list((tmp_path / "worker").iterdir()) == []


def test_impossible_requirements_are_refused_before_ray_starts() -> None:
    with pytest.raises(
        ValueError, match="a fraction of one accelerator or a whole number, got 1.5"
    ):
        RayExecutor(quick, 1, gpus=1.5)
    with pytest.raises(ValueError, match="0 cores and accelerators or more"):
        RayExecutor(quick, 1, cpus=-1)


def test_requirements_that_this_machine_cannot_meet_are_refused() -> None:
    with pytest.raises(ValueError) as error:
        RayExecutor(quick, 1, gpus=1000)
    assert "a child needs 1 CPU and 1000 GPU, but this machine has " in str(error.value)
    assert not ray.is_initialized()


def test_requirements_that_no_machine_of_a_cluster_meets_are_a_line() -> None:
    said: list[str] = []
    ray.init(
        address="local", num_cpus=2, num_gpus=1, include_dashboard=False, logging_level="error"
    )
    try:
        RayExecutor(quick, 1, cpus=2, gpus=1, say=said.append).close()
        assert said == []
        RayExecutor(quick, 1, cpus=3, say=said.append).close()
        assert said == [
            "a child needs 3 CPU and 0 GPU, but no machine has that; children wait until one joins "
            "(now: 2 CPU and 1 GPU)"
        ]
    finally:
        ray.shutdown()
