"""Children on Ray."""

import signal
import socket
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.search import get_space, get_strategy
from nasnet_keras.search.engine.experiment import Experiment
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.executors import ray_cluster
from nasnet_keras.search.executors.ray_executor import RayExecutor
from tests.search.driver import killed_search
from tests.search.quick_children import quick

ray = pytest.importorskip("ray")
# The least that Ray takes.
STORE_BYTES = 75 * 2**20


def test_a_search_on_ray_killed_again_and_again_is_as_if_left_alone() -> None:
    counts = killed_search("ray", kills=2, children=6, workers=2)
    assert sum(counts["kills"].values()) == 2
    assert counts["events"]["result"] == 6


def test_a_full_object_store_is_no_hindrance_and_a_relative_run_directory_the_driver_s(
    tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "worker").mkdir()
    (tmp_path / "driver").mkdir()
    # Workers find this package from any directory.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.chdir(tmp_path / "worker")
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        logging_level="error",
        object_store_memory=STORE_BYTES,
        # Otherwise it would make room on the disk, or use it instead.
        _system_config={
            "automatic_object_spilling_enabled": False,
            "local_fs_capacity_threshold": 0.0,
        },
    )
    try:
        held = []
        for size in (STORE_BYTES // 10, 2**17):
            with pytest.raises(ray.exceptions.OutOfDiskError):
                while True:
                    held.append(ray.put(np.zeros(size, "uint8")))
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


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("127.0.0.1:1", "Connection refused"),
        ("ray://127.0.0.1:1", "Connection refused"),
        ("SILENT", "it does not answer within 3 s"),
        ("head:", "expected HOST:PORT, ray://HOST:PORT or auto"),
    ],
)
def test_an_address_without_a_cluster_is_refused_soon(address: str, why: str, monkeypatch) -> None:
    monkeypatch.setattr(ray_cluster, "_CONNECT_SECONDS", 3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = address.replace("SILENT", f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(ConnectionError) as error:
            RayExecutor(quick, 1, address=address)
    assert str(error.value) == f"there is no Ray cluster at {address}: {why}"
    assert not ray.is_initialized()


def test_requirements_that_no_machine_meets_are_refused_and_ray_is_gone() -> None:
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with pytest.raises(ValueError) as error:
        RayExecutor(quick, 1, gpus=1000)
    assert "a child needs 1 CPU and 1000 GPU, but no machine of the Ray cluster has that: " in str(
        error.value
    )
    assert not ray.is_initialized()
    # Ray has one of its own.
    assert signal.signal(signal.SIGTERM, handler) == signal.SIG_IGN
