"""`mlserver start DIR`, with the repository that an export writes."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.servers.running_server import RunningServer, free_ports
from tests.servers.server_contract import ServerContract

MLSERVER = Path(sys.executable).with_name("mlserver")


def with_ports(repository, folder):
    """Returns a server of a copy of a repository, which listens on free ports."""
    shutil.copytree(repository, folder / "models")
    http, grpc, metrics = free_ports(3)
    file = folder / "models" / "settings.json"
    settings = json.loads(file.read_text())
    assert settings["host"] == "127.0.0.1"
    ports = {"http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    file.write_text(json.dumps(settings | ports))
    return RunningServer([str(MLSERVER), "start", "models"], folder, http, grpc)


@pytest.fixture(scope="session")
def repository():
    default = Path(__file__).parents[2] / "runs" / "served"
    return Path(os.environ.get("NASNET_KERAS_SERVED", default)).resolve()


@pytest.fixture(scope="class")
def server(repository, tmp_path_factory):
    running = with_ports(repository, tmp_path_factory.mktemp("mlserver"))
    running.start(["colours", "boxes"])
    yield running
    running.kill()


class TestMLServer(ServerContract):
    def test_it_needs_neither_keras_nor_tensorflow(self, server):
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "onnxruntime" in maps and "tensorflow" not in maps and "jax" not in maps

    def test_a_second_one_on_its_port_says_so_and_ends(self, server, repository, tmp_path):
        other = with_ports(repository, tmp_path)
        file = tmp_path / "models" / "settings.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"http_port": server.http}))
        with pytest.raises(RuntimeError) as caught:
            other.start(["missing"])
        assert other.process.returncode not in (0, None)
        lines = str(caught.value).splitlines()
        assert any("address already in use" in line for line in lines if "ERROR" in line)

    def test_it_stops_when_asked(self, server):
        assert server.stop() == 0
        assert "Traceback (most recent call last)" not in server.log.split("Waiting")[-1]
