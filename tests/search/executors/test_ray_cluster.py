"""A search on a Ray cluster of several machines, which come and go; each is a process here."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nasnet_keras.search.engine.journal import read_journal
from tests.search.driver import start

pytest.importorskip("ray")
from ray.cluster_utils import Cluster

CHILDREN = 40


def until(condition: Callable[[], object], driver: subprocess.Popen) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert driver.poll() is None and time.monotonic() < end, condition
        time.sleep(0.05)


def machines(directory: Path) -> list[int]:
    """Returns the machine of each child that has begun, so far as it is known yet."""
    return [int(path.read_text() or 0) for path in directory.glob("children/*/machine")]


def ended(directory: Path) -> int:
    return len(list(directory.glob("children/*/ends")))


def pid(machine: Any) -> int:
    return machine.all_processes["raylet"][0].process.pid


@contextmanager
def in_time() -> Iterator[None]:
    """Skips the test where Ray's 30 s for a machine's start are too few, as on busy cores."""
    try:
        yield
    except Exception as error:
        if "timed out during startup" not in str(error):
            raise
        pytest.skip(f"no cluster: {error}")


def new_cluster(port: int) -> Any:
    head = {"num_cpus": 0, "gcs_server_port": port, "include_dashboard": False}
    with in_time():
        return Cluster(initialize_head=True, head_node_args=head)


def new_machine(cluster: Any) -> Any:
    """Adds one with room for two children, which share its accelerator."""
    with in_time():
        return cluster.add_node(num_cpus=2, num_gpus=1)


def test_a_search_goes_on_while_machines_join_and_die_and_after_the_cluster_s_end(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = new_cluster(port)
    request.addfinalizer(cluster.shutdown)
    first = new_machine(cluster)
    driver = start(tmp_path, "placed", CHILDREN, cluster.address)
    until(lambda: ended(tmp_path) >= 1, driver)

    stays, goes = new_machine(cluster), first
    until(lambda: pid(stays) in machines(tmp_path), driver)

    # Ray 2.51 joins by any machine on this host, 2.60 by the head.
    if (tmp_path / "joined").read_text() == first.node_id:
        stays, goes = first, stays
    cluster.remove_node(goes, allow_graceful=False)
    seen = machines(tmp_path).count(pid(stays))
    until(lambda: machines(tmp_path).count(pid(stays)) >= seen + 3, driver)

    cluster.head_node.kill_all_processes(check_alive=False, allow_graceful=False, wait=True)
    _, error = driver.communicate(timeout=60)
    assert error == f"error: the Ray cluster at {cluster.address} does not answer any more\n"
    assert driver.returncode == 2
    done = ended(tmp_path)
    cluster.shutdown()

    cluster = new_cluster(port)
    request.addfinalizer(cluster.shutdown)
    new_machine(cluster)
    driver = start(tmp_path, "placed", CHILDREN, cluster.address)
    assert driver.communicate(timeout=120) == (None, "") and driver.returncode == 0
    cluster.shutdown()

    events = [event for event, _ in read_journal(tmp_path / "journal.jsonl")]
    results = {event["number"]: event["values"] for event in events if event["event"] == "result"}
    assert len(results) == CHILDREN > done
    for number in results:
        ends = (tmp_path / "children" / str(number) / "ends").read_text()
        assert ends == "end\n", f"child {number} was trained again"
    assert all(event["lost"] for event in events if event["event"] == "failed")
    assert {values["accelerator"] for values in results.values()} == {"0"}
    for values in results.values():
        at_once = [
            other
            for other in results.values()
            if other["machine"] == values["machine"]
            and other["began"] <= values["began"] < other["ended"]
        ]
        assert len(at_once) <= 2


def test_a_search_whose_own_machine_is_lost_to_ray_ends_and_says_so(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cluster = new_cluster(0)
    request.addfinalizer(cluster.shutdown)
    machine = new_machine(cluster)
    driver = start(tmp_path, "placed", CHILDREN, cluster.address)
    until(lambda: ended(tmp_path) >= 1, driver)

    joined = (tmp_path / "joined").read_text()
    next(node for node in (cluster.head_node, machine) if node.node_id == joined).kill_raylet()
    _, error = driver.communicate(timeout=120)
    assert error == f"error: Ray has died where it had joined {cluster.address}: start it again\n"
    assert driver.returncode == 2
    events = [event for event, _ in read_journal(tmp_path / "journal.jsonl")]
    results = [event["number"] for event in events if event["event"] == "result"]
    assert 1 <= len(results) < CHILDREN
    assert all(event["lost"] for event in events if event["event"] == "failed")
