"""Is a run that is killed again and again worth as much as one that was left alone?

  python benchmarks/killed_runs.py --kills=10

Trains a small network on the digits to the end; then the same command in another directory, killed
(SIGKILL) at random moments and started again, as often as asked. Compares the last checkpoints'
numbers, bit for bit: weights, statistics, optimizer.
"""

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from absl import app, flags

from nasnet_keras.training.log import LOG_NAME, read_log

_KILLS = flags.DEFINE_integer("kills", 10, "How often to kill.", lower_bound=1)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the moments.")
_JSON = flags.DEFINE_string("json", None, "File for the result.")

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = (
    "--recipe=digits",
    "--num_cells=2",
    "--filters=2",
    "--stem_filters=4",
    "--batch_size=128",
    "--max_number_of_steps=440",
    "--optimizer=rmsprop",
    "--moving_average_decay=0.99",
    "--dropout=0.2",
    "--save_interval_secs=0.5",
    "--notensorboard",
)


def start(directory: Path, *more: str) -> subprocess.Popen:
    """Starts the run in a directory."""
    program = [sys.executable, str(ROOT / "train_image_classifier.py")]
    return subprocess.Popen(
        [*program, *SETTINGS, f"--train_dir={directory}", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen) -> str:
    """Waits for the end of a run that must end well; returns what it printed."""
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {output}")
    return output


def step_of(directory: Path) -> int:
    """Returns the step of the last checkpoint, 0 where there is none."""
    if not (directory / "model.keras").exists():
        return 0
    with zipfile.ZipFile(directory / "model.keras") as archive:
        return json.loads(archive.read("training_state.json"))["step"]


def differing_arrays(first: Path, second: Path) -> list[str]:
    """Returns the names of the arrays of two checkpoints that are not equal bit for bit."""
    import h5py

    def arrays(directory: Path) -> dict:
        found = {}

        def add(name: str, item) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = item[()].tobytes()

        with (
            zipfile.ZipFile(directory / "model.keras") as archive,
            archive.open("model.weights.h5") as member,
            h5py.File(member, "r") as file,
        ):
            file.visititems(add)
        return found

    ours, theirs = arrays(first), arrays(second)
    return [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]


def log_of(directory: Path) -> dict[int, dict]:
    """Returns the log by epoch, without the times; the last line of an epoch counts."""
    return {
        record["epoch"]: {name: value for name, value in record.items() if name != "seconds"}
        for record in read_log(directory / LOG_NAME)
    }


def main(_) -> None:
    moments = random.Random(_SEED.value)
    with tempfile.TemporaryDirectory() as temporary:
        alone, killed = Path(temporary) / "alone", Path(temporary) / "killed"
        began = time.monotonic()
        finish(start(alone))
        whole = time.monotonic() - began
        rows = []
        while len(rows) < _KILLS.value:
            process = start(killed)
            wait = moments.uniform(0.1, 0.7) * whole
            time.sleep(wait)
            if process.poll() is not None:
                break  # It was done before its moment came.
            process.send_signal(signal.SIGKILL)
            process.communicate()
            rows.append((wait, step_of(killed)))
            print(f"killed after {wait:5.1f} s, last checkpoint at step {rows[-1][1]}", flush=True)
        finish(start(killed))
        different = differing_arrays(alone, killed)
        same_log = log_of(alone) == log_of(killed)
    print(f"{len(rows)} kills; arrays that differ: {len(different)}; same log: {same_log}")
    if _JSON.value:
        result = {"kills": rows, "different_arrays": different, "same_log": same_log}
        Path(_JSON.value).write_text(json.dumps(result, indent=2) + "\n")
    if different or not same_log:
        sys.exit(1)


if __name__ == "__main__":
    app.run(main)
