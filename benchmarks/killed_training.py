"""Does a training on Ray that is killed again and again lose a step that was saved?

  python benchmarks/killed_training.py --kills=20

Trains a small network on two workers, without backups, and kills (SIGKILL) a worker or the program
itself at random moments; the program is started again each time. After each start it has to go on
from the last checkpoint, and in the end every array of it has to be, bit for bit, that of a
training that nobody disturbed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

from absl import flags
from kill_jobs import arrays

from nasnet_keras.genotypes import ConvolutionLayer, LayerwiseGenotype
from nasnet_keras.programs.command_line import run

_KILLS = flags.DEFINE_integer("kills", 20, "How often to kill.", lower_bound=0)
_STEPS = flags.DEFINE_integer("steps", 3000, "Steps of the training.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the moments.")

_ROOT = Path(__file__).resolve().parents[1]
_NETWORK = LayerwiseGenotype(
    "two", (ConvolutionLayer(3, 3, 1, 1, 4), ConvolutionLayer(3, 3, 2, 2, 6, inputs=(0,)))
)


def start(directory: Path) -> subprocess.Popen:
    """Starts the program; what it prints is added to `log` beside the directory."""
    command = [sys.executable, str(_ROOT / "train_image_classifier.py"), "--recipe=digits"]
    command += [f"--train_dir={directory}", f"--genotype={directory.parent / 'network.json'}"]
    command += ["--train_image_size=8", "--batch_size=32", "--dropout=0.2", "--notensorboard"]
    command += [f"--max_number_of_steps={_STEPS.value}", "--save_interval_secs=0.5"]
    command += ["--distribution=ray", "--num_workers=2"]
    with directory.with_suffix(".log").open("a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def workers_of(program: int) -> list[int]:
    """Returns the process ids of a program's workers."""
    found, parents = [], {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rsplit(")")[-1].split()[1])
            if (path / "cmdline").read_bytes().startswith(b"ray::Worker"):
                found.append(int(path.name))
        except OSError:
            continue

    def is_below(pid: int) -> bool:
        return pid == program or (pid in parents and is_below(parents[pid]))

    return [pid for pid in found if is_below(pid)]


def saved_step(directory: Path) -> int:
    """Returns the step of the last checkpoint; 0 before the first."""
    try:
        with zipfile.ZipFile(directory / "model.keras") as archive:
            return json.loads(archive.read("training_state.json"))["step"]
    except FileNotFoundError:
        return 0


def disturb(directory: Path, moments: random.Random) -> tuple[Counter, list[str]]:
    """Trains and kills; returns how often which, and what went wrong."""
    kills: Counter = Counter()
    wrong: list[str] = []
    program, saved = start(directory), 0
    while program.poll() is None:
        time.sleep(0.05)
        # Not before there is something new to lose.
        if kills.total() >= _KILLS.value or saved_step(directory) <= saved:
            continue
        time.sleep(moments.uniform(0.0, 2.0))
        workers = workers_of(program.pid)
        if workers and moments.random() < 0.5:
            os.kill(moments.choice(workers), signal.SIGKILL)
            kills["worker"] += 1
            saved = saved_step(directory)
            continue
        program.kill()
        program.wait()
        kills["program"] += 1
        before, saved = saved, saved_step(directory)
        if saved < before:
            wrong.append(f"step {before} was saved, and then only {saved} was")
        # What was printed before is of starts before.
        directory.with_suffix(".log").unlink()
        program = start(directory)
        line = f"after step {saved} of"
        while program.poll() is None and line not in directory.with_suffix(".log").read_text():
            time.sleep(0.05)
            if "epoch" in directory.with_suffix(".log").read_text():
                wrong.append(f"it did not go on {line} {_STEPS.value}")
                break
        print(f"{kills.total()} kills, step {saved}", flush=True)
    if program.returncode:
        wrong.append(f"exit code {program.returncode}: {directory.with_suffix('.log').read_text()}")
    return kills, wrong


def main(_: list[str]) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        _NETWORK.save(root / "network.json")
        if start(root / "undisturbed").wait():
            print((root / "undisturbed.log").read_text())
            return 1
        kills, wrong = disturb(root / "run", random.Random(_SEED.value))
        expected, left = (
            dict(arrays(root / name / "model.keras")) for name in ("undisturbed", "run")
        )
    different = [name for name in {**expected, **left} if expected.get(name) != left.get(name)]
    wrong += [f"{name} differs" for name in different]
    print(json.dumps({"kills": kills, "arrays": len(expected)}))
    print(
        "\n".join(wrong) or "no step that was saved is lost, and the network is the undisturbed one"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    run(main)
