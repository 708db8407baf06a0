"""The report on an accelerator: all of it on the CPU, and what remains of one that is cut off."""

import importlib.metadata
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("jax")
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "benchmarks" / "gpu_report.py"
# What docs/performance.md says that a machine needs: JAX's, then the wheels to carry there.
WHEELS = ("jax", "jaxlib", "numpy", "scipy", "opt_einsum", "ml_dtypes")
WHEELS += ("keras", "absl-py", "optree", "packaging", "rich", "typing_extensions")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine that has those wheels and no TensorFlow."""
    folder = tmp_path_factory.mktemp("wheels")
    for wheel in WHEELS:
        for file in importlib.metadata.distribution(wheel).files or ():
            path, top = Path(str(file.locate())), file.parts[0]
            if top not in ("..", "__pycache__") and not (folder / top).exists():
                (folder / top).symlink_to(
                    path.parents[len(file.parts) - 2] if file.parts[1:] else path
                )
    (folder / "tensorflow.py").write_text("raise ImportError('no TensorFlow here')\n")
    return {**os.environ, "PYTHONPATH": str(folder)}


def start(
    output: Path, environment: dict[str, str], *arguments: str
) -> subprocess.CompletedProcess:
    # Not the interpreter of the environment that the tests run in, which has everything.
    python = getattr(sys, "_base_executable", None) or sys.executable
    return subprocess.run(
        [python, str(PROGRAM), f"--output={output}", *arguments],
        env=environment,
        cwd=output.parent,
        capture_output=True,
        text=True,
    )


def test_all_of_it_runs_on_the_cpu_without_tensorflow(machine: Any, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    done = start(output, machine, "--tiny")
    report = json.loads(output.read_text())
    parts = report["parts"]
    for name in ("device", "large", "small", "float32"):
        assert parts[name]["status"] == "done", (parts[name], done.stderr)
    for name in ("timm_nasnetalarge", "timm_pnasnet5large"):
        assert parts[name]["status"] == "skipped" and parts[name]["reason"]
    assert done.returncode == 0 and done.stdout == output.with_suffix(".md").read_text()

    assert report["environment"]["platform"] == "cpu"
    assert all(rate > 1e7 for rate in report["rates"].values()) and len(report["rates"]) == 3
    assert [row["network"] for row in report["correctness"]] == ["nasnet_cifar"]
    assert report["correctness"][0]["relative_difference"] < 1e-5

    rows = [row for row in report["throughput"] if row["outcome"] == "measured in turns"]
    assert {(row["network"], row["precision"], row["mode"]) for row in rows} == {
        (network, precision, mode)
        for network, precision in (
            ("nasnet_large", "mixed_bfloat16"),
            ("nasnet_cifar", "mixed_bfloat16"),
            ("nasnet_mobile", "float32"),
        )
        for mode in ("training", "inference")
    }
    for row in rows:
        low, high = row["images_per_second_quartiles"]
        assert 0 < low <= row["images_per_second"] <= high < math.inf
        assert row["images_per_second"] == pytest.approx(row["batch"] / row["step_seconds"])
        assert 0 < row["fraction_of_gemm_rate"] < 1 and row["fraction_of_bandwidth"] > 0
        assert row["compile_seconds"] > 0 and row["planned_bytes"] > 1e5
    losses = [row["loss"] for row in report["throughput"] if row.get("loss") is not None]
    assert len(losses) == 3 and all(math.isfinite(loss) and loss > 0 for loss in losses)


def test_a_part_whose_time_is_up_is_ended_and_said(machine: Any, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    # The part's process never comes to its end, on a machine of any speed.
    hang = "import sys, time\nif '--measure' in ' '.join(sys.orig_argv): time.sleep(60)\n"
    (tmp_path / "sitecustomize.py").write_text(hang)
    slow = {**machine, "PYTHONPATH": os.pathsep.join((str(tmp_path), machine["PYTHONPATH"]))}
    done = start(output, slow, "--tiny", "--seconds=10.5", "--parts=small,float32,device")
    assert done.returncode == 0, done.stderr
    parts = json.loads(output.read_text())["parts"]
    assert parts["small"]["status"] == "cut off" and parts["small"]["seconds"] < 9
    for name in ("float32", "device"):
        assert parts[name] == {"status": "not reached", "reason": "no time left"}
    assert "| small | cut off |" in done.stdout


def test_what_cannot_be_done_is_one_line(machine: Any, tmp_path: Path) -> None:
    output = tmp_path / "report.json"
    done = start(output, machine, "--parts=larg")
    assert done.returncode == 2 and "did you mean 'large'?" in done.stderr
    assert not output.exists()
    nothing = {**machine, "PYTHONPATH": ""}
    command = [sys.executable, "-S", "-s", str(PROGRAM), f"--output={output}"]
    done = subprocess.run(command, env=nothing, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "jax, jaxlib, numpy, ml_dtypes, keras" in done.stderr


# ---- The pieces, with programs that stand in for what takes long.

STAND_IN = """
import json, sys, time
sys.path.insert(0, {benchmarks!r})
from accelerator.processes import emit, end_with_parent
end_with_parent()
print("a library's own line")
emit({row})
{then}
"""
TIMM_ROW = {
    **{"kind": "throughput", "side": "timm, compiled", "network": "nasnetalarge"},
    **{"precision": "mixed_bfloat16", "mode": "training", "batch": 64, "outcome": "measured"},
    **{"step_seconds": 0.64, "images_per_second": 100.0},
}
OURS_ROW = {**TIMM_ROW, "side": "ours", "network": "nasnet_large", "images_per_second": 150.0}
OURS_ROW |= {"flops_per_image": 6e11, "accessed_bytes": 1e12}


def stand_in(then: str = "", row: Any = TIMM_ROW) -> list[str]:
    code = STAND_IN.format(benchmarks=str(ROOT / "benchmarks"), row=row, then=then)
    return [sys.executable, "-S", "-c", code]


@pytest.fixture
def accelerator() -> SimpleNamespace:
    from accelerator import processes, report, table, throughput

    return SimpleNamespace(processes=processes, report=report, table=table, throughput=throughput)


@pytest.mark.parametrize(
    ("then", "seconds", "status", "reason"),
    [
        ("", 20, "done", None),
        ("time.sleep(60)", 1, "cut off", None),
        ("sys.exit('torch sees no GPU here')", 20, "failed", "torch sees no GPU here"),
    ],
)
def test_rows_come_at_once_and_are_kept(
    accelerator: Any, then: str, seconds: float, status: str, reason: str | None
) -> None:
    rows: list[Any] = []
    start = time.monotonic()
    outcome = accelerator.processes.run_process(stand_in(then), seconds, rows.append)
    assert time.monotonic() - start < 10
    assert rows == [TIMM_ROW]
    assert (outcome["status"], outcome.get("reason")) == (status, reason)


def test_timms_rate_stands_beside_ours_at_the_same_batch(accelerator: Any, tmp_path: Path) -> None:
    report = accelerator.report.Report(tmp_path / "r.json", ["large"], {"command": "c"})
    rates = {"gemm_float32": 1e14, "gemm_mixed_bfloat16": 5e14, "bandwidth": 3e12}
    report.add({"kind": "rates", **rates})
    report.add(dict(OURS_ROW))
    report.add({**OURS_ROW, "batch": 128, "images_per_second": 140.0})
    assert report.best_batch("nasnet_large", "training", 8) == 64
    assert report.best_batch("nasnet_large", "inference", 8) == 8
    report.add(dict(TIMM_ROW))
    ours, theirs = accelerator.table.best_rows(report.content["throughput"])
    assert (ours["batch"], ours["times_timm"]) == (64, 1.5) and "times_timm" not in theirs
    assert ours["fraction_of_gemm_rate"] == pytest.approx(150 * 6e11 / 5e14)
    assert ours["fraction_of_bandwidth"] == pytest.approx(1e12 / 0.64 / 3e12)
    assert "| 150.0 | - | 1.50 | 0.180 |" in report.path.with_suffix(".md").read_text()


def test_a_batch_that_is_too_large_is_halved_and_the_best_is_kept(accelerator: Any) -> None:
    limit, rates = 100, {16: 100.0, 32: 180.0, 64: 200.0}

    def make(batch: int) -> Any:
        if batch > limit:
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate")
        compiled = SimpleNamespace(batch=batch, trace_seconds=1.0, compile_seconds=1.0)
        compiled.planned_bytes = compiled.accessed_bytes = None
        compiled.run = lambda steps: (steps * batch / rates[batch], None)
        return compiled

    def tried(*batches: int) -> tuple[Any, list[Any]]:
        rows: list[Any] = []
        sizes = SimpleNamespace(block_seconds=0.1)
        best = accelerator.throughput._best_batch(make, batches, sizes, math.inf, rows.append)
        return best and best[0].batch, [(row["batch"], row["outcome"]) for row in rows]

    fine, full = "measured", "out of memory"
    assert tried(16, 32) == (32, [(16, fine), (32, fine)])
    assert tried(32, 64, 128) == (64, [(32, fine), (64, fine), (128, full)])
    assert tried(256, 512) == (64, [(256, full), (128, full), (64, fine)])
    rates[64] = 181.0
    assert tried(32, 64, 128) == (64, [(32, fine), (64, fine)])
    limit = 0
    assert tried(2) == (None, [(2, full), (1, full)])


def test_a_killed_report_keeps_its_rows_and_leaves_no_process(tmp_path: Path) -> None:
    command = stand_in(
        "import os; emit({'kind': 'environment', 'process': os.getpid()}); time.sleep(60)"
    )
    code = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "benchmarks")!r}]
from accelerator.processes import run_process
from accelerator.report import Report
report = Report("r.json", ["timm_nasnetalarge", "small"], {{"command": "c"}})
report.set_part("timm_nasnetalarge", status="running")
run_process({command!r}, 60, report.add)
"""
    process = subprocess.Popen([sys.executable, "-S", "-c", code], cwd=tmp_path)
    try:
        deadline = time.monotonic() + 30
        content: dict[str, Any] = {}
        while not content.get("environment") and time.monotonic() < deadline:
            time.sleep(0.05)
            if (tmp_path / "r.json").exists():
                content = json.loads((tmp_path / "r.json").read_text())
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert content["parts"]["timm_nasnetalarge"] == {"status": "running"}
    assert content["parts"]["small"] == {"status": "not reached"}
    assert [row["images_per_second"] for row in content["throughput"]] == [100.0]
    started = Path(f"/proc/{content['environment']['process']}")
    while started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not started.exists()
