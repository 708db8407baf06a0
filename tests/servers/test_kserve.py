"""KServe's server with our model class."""

import os
import sys
from pathlib import Path

import pytest

from tests.servers.running_server import RunningServer, free_ports
from tests.servers.server_contract import ServerContract

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def repository():
    return Path(os.environ.get("NASNET_KERAS_SERVED", ROOT / "runs" / "served")).resolve()


@pytest.fixture(scope="class")
def server(repository, tmp_path_factory):
    http, grpc = free_ports(2)
    models = [f"{name}={repository / name / '1' / 'model.onnx'}" for name in ("colours", "boxes")]
    script = str(Path(__file__).with_name("kserve_server.py"))
    running = RunningServer(
        [sys.executable, script, str(http), str(grpc), *models],
        tmp_path_factory.mktemp("kserve"),
        http,
        grpc,
    )
    running.start(["colours", "boxes"])
    yield running
    running.kill()


class TestKServe(ServerContract):
    def test_it_stops_when_asked(self, server):
        assert server.stop() == 0
        assert "gRPC server shutdown complete" in server.log
