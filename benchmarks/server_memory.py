"""Does a server's memory stay where it is over many requests, bad ones among them?

Starts MLServer from `make test-servers`' environment with its models, and sends requests from eight
threads: of one to four files each, of many sizes; every third request has a bad file, and every
tenth is wrong as a whole. Prints the server's memory, and requests a second, after each tenth.

    python benchmarks/server_memory.py [--requests=10000] [--output=memory.json]
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from absl import flags
from measurement import check_output, write_json

from nasnet_keras.programs.command_line import run

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.servers.rest_requests import ask, files, png, tensor
from tests.servers.running_server import RunningServer, free_ports

_REQUESTS = flags.DEFINE_integer("requests", 10_000, "How many are sent.")
_MODEL = flags.DEFINE_string("model", "colours", "Which of the models: colours or boxes.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_THREADS = 8


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    program, models = ROOT / ".venv-mlserver/bin/mlserver", ROOT / "runs/served"
    if not (program.exists() and models.exists()):
        raise ValueError(f"{program} or {models} is missing: run `make test-servers` first")
    generator = np.random.default_rng(0)
    pictures = [
        png(generator.integers(0, 256, (*generator.integers(20, 400, 2), 3), np.uint8))
        for _ in range(16)
    ]

    def send(index: int) -> None:
        model = _MODEL.value
        if index % 10 == 0:
            code, _ = ask(server, model, tensor("images", "FP32", np.zeros((1, 2, 2, 3))))
            assert code == 400, code
            return
        chosen = [pictures[(index + i) % len(pictures)] for i in range(1 + index % 4)]
        if index % 3 == 0:
            chosen.append(chosen[0][: len(chosen[0]) // 2])
        code, answer = ask(server, model, files(*chosen))
        assert code == 200, answer

    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(models, Path(folder) / "models")
        http, grpc, metrics = free_ports(3)
        settings = Path(folder) / "models" / "settings.json"
        ports = {"http_port": http, "grpc_port": grpc, "metrics_port": metrics}
        settings.write_text(json.dumps(json.loads(settings.read_text()) | ports))
        server = RunningServer([str(program), "start", "models"], Path(folder), http, grpc)
        server.start(["colours", "boxes"])
        try:
            with ThreadPoolExecutor(_THREADS) as threads:
                results = _in_parts(threads, send, server)
        finally:
            server.kill()
    if _OUTPUT.value:
        write_json(_OUTPUT.value, results)


def _in_parts(threads, send, server) -> list[dict[str, float]]:
    results = []
    print("requests  MiB    requests a second")
    step = max(_REQUESTS.value // 10, 1)
    for start in range(0, _REQUESTS.value, step):
        begun = time.perf_counter()
        list(threads.map(send, range(start, start + step)))
        rate = step / (time.perf_counter() - begun)
        results.append({"requests": start + step, "MiB": server.memory(), "rate": rate})
        print(f"{start + step:8}  {server.memory():5.1f}  {rate:.1f}", flush=True)
    return results


if __name__ == "__main__":
    run(main)
