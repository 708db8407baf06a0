"""What does one accelerator give: the right numbers, and how fast, beside timm's networks?

Prepared for a machine with JAX, Keras and one accelerator, and no TensorFlow and no network;
docs/performance.md says what to carry there. Each part is a process of its own, so that frameworks
do not share the device's memory, and is ended when its time is up; the most important come first:

- device: GEMM rates and bandwidth; logits of the golden networks in full float32
- large: NASNet-A large at 331 pixels in bfloat16, training and inference
- timm_nasnetalarge: timm's, under torch.compile, channels last, bfloat16, at the same batches
- small: CIFAR 6@768 and mobile in bfloat16
- float32: the three in float32
- timm_pnasnet5large

Training is the step that `train_image_classifier.py` takes, on data that is on the device. Both
files, JSON and markdown, are complete after every row; what was not reached stands in them.

    python benchmarks/gpu_report.py [--seconds=360] [--parts=large,timm_nasnetalarge]
        [--output=gpu_report.json] [--tiny]
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

# The package need not be installed; the golden networks are the tests'.
sys.path.insert(0, str(Path(__file__).parents[1]))
from accelerator.modules import TIMM, missing, refuse_missing

refuse_missing()
os.environ["KERAS_BACKEND"] = "jax"

from absl import flags
from accelerator.cases import FULL, TINY, Sizes
from accelerator.processes import emit, end_with_parent, run_process
from accelerator.report import Report

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

# How much of the budget a part may take at most; the rest is for those after it.
PARTS = {
    "device": 0.25,
    "large": 0.4,
    "timm_nasnetalarge": 0.35,
    "small": 0.5,
    "float32": 0.7,
    "timm_pnasnet5large": 1.0,
}
# A part that has less is not begun: it takes as long to start.
_LEAST_SECONDS = 10.0
_ENVIRONMENT = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}
# On the CPU, compiled in the shortest time.
_TINY_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_parallel_codegen_split_count=1",
}

_SECONDS = flags.DEFINE_float("seconds", 360.0, "Time for all parts together.", lower_bound=1.0)
_PARTS = flags.DEFINE_list("parts", list(PARTS), "Parts to measure.")
_OUTPUT = flags.DEFINE_string("output", "gpu_report.json", "JSON file; the table is beside it.")
_TINY = flags.DEFINE_boolean("tiny", False, "Try it all on the CPU, with tiny sizes.")
_MEASURE = flags.DEFINE_string("measure", None, "Measure this part in this process.")


def main(_: list[str]) -> None:
    sizes = TINY if _TINY.value else FULL
    if _MEASURE.value:
        end_with_parent()
        measure(_MEASURE.value, sizes, time.monotonic() + _SECONDS.value)
        return
    for name in _PARTS.value:
        if name not in PARTS:
            raise ValueError(unknown_name("part", name, PARTS))
    head = {"command": " ".join(["python", *sys.argv]), "budget_seconds": _SECONDS.value}
    report = Report(_OUTPUT.value, _PARTS.value, head)
    end = time.monotonic() + _SECONDS.value
    for name in _PARTS.value:
        run_part(name, report, end, sizes)
    print(report.path.with_suffix(".md").read_text(), end="")


def run_part(name: str, report: Report, end: float, sizes: Sizes) -> None:
    """Runs a part in a process of its own, and notes how it ended."""
    left = end - time.monotonic()
    if left < _LEAST_SECONDS:
        report.set_part(name, status="not reached", reason="no time left")
        return
    seconds = min(left, PARTS[name] * _SECONDS.value)
    command = [sys.executable, __file__, f"--measure={name}", f"--seconds={seconds}"]
    if name.startswith("timm_"):
        absent = missing(TIMM)
        if _TINY.value or absent:
            reason = f"{' and '.join(absent)} not installed" if absent else "needs a GPU"
            report.set_part(name, status="skipped", reason=reason)
            return
        command = timm_command(name.removeprefix("timm_"), report, sizes)
    if _TINY.value:
        command.append("--tiny")
    print(f"{name}: at most {seconds:.0f} s", file=sys.stderr)
    report.set_part(name, status="running")

    def take(row: dict[str, Any]) -> None:
        if row.get("platform") == "cpu" and not _TINY.value:
            raise ValueError("JAX sees no accelerator here; --tiny tries the report on the CPU")
        report.add(row)

    environment = _ENVIRONMENT | (_TINY_ENVIRONMENT if _TINY.value else {})
    report.set_part(name, **run_process(command, seconds, take, environment))


def timm_command(network: str, report: Report, sizes: Sizes) -> list[str]:
    """Returns the command that measures timm's network at the batches where ours was fastest."""
    case = FULL.cases["large"][0]
    batches = [
        report.best_batch("nasnet_large", mode, default[0])
        for mode, default in (
            ("training", case.training_batches),
            ("inference", case.inference_batches),
        )
    ]
    program = Path(__file__).parent / "accelerator" / "timm_throughput.py"
    numbers = [*batches, sizes.block_seconds, sizes.rounds]
    return [sys.executable, str(program), network, *map(str, numbers)]


def measure(name: str, sizes: Sizes, deadline: float) -> None:
    """Measures a part in this process, which is its only work."""
    if name == "device":
        from accelerator.correctness import logits_difference
        from accelerator.rates import describe_device, measure_rates

        emit({"kind": "environment", **describe_device()})
        emit({"kind": "rates", **measure_rates(sizes)})
        for network in sizes.golden:
            emit({"kind": "correctness", **logits_difference(network)})
        return
    from accelerator.throughput import measure_case

    for case in sizes.cases[name]:
        measure_case(case, sizes, deadline, lambda row: emit({"kind": "throughput", **row}))


if __name__ == "__main__":
    run(main)
