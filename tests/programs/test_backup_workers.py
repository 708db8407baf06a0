"""A training on Ray that loses a worker, itself and its patience, and is continued each time."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from nasnet_keras.training.log import LOG_NAME, read_log
from tests.layerwise_networks import PLAIN

pytest.importorskip("ray")
ROOT = Path(__file__).parents[2]
SMALL = ("--batch_size=32", "--train_image_size=8", "--notensorboard")


class Training:
    """The program in the background, and what it prints.

    Args:
        directory: The run directory.
        *flags: Further flags.
    """

    def __init__(self, directory, *flags):
        self._log = directory.with_suffix(".log").open("w+")
        command = [sys.executable, str(ROOT / "train_image_classifier.py"), "--recipe=digits"]
        # Each process has to build and trace the network.
        genotype = directory.with_suffix(".json")
        PLAIN.save(genotype)
        command += [
            *SMALL,
            f"--genotype={genotype}",
            f"--train_dir={directory}",
            "--distribution=ray",
            *flags,
        ]
        self.process = subprocess.Popen(
            command, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True
        )

    @property
    def output(self):
        self._log.seek(0)
        return self._log.read()

    def wait_for(self, condition):
        deadline = time.monotonic() + 400
        while not condition():
            assert self.process.poll() is None and time.monotonic() < deadline, self.output
            time.sleep(0.05)

    def end(self):
        code = self.process.wait(timeout=400)
        return code, self.output

    def workers(self):
        """Returns the process ids of its workers."""
        parents, names = {}, {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                parents[int(path.name)] = int(
                    (path / "stat").read_text().rsplit(")")[-1].split()[1]
                )
                names[int(path.name)] = (path / "cmdline").read_text()
            except OSError:
                continue

        def below(pid):
            return pid == self.process.pid or (pid in parents and below(parents[pid]))

        return [pid for pid, name in names.items() if name.startswith("ray::Worker") and below(pid)]


def step_of(checkpoint):
    with zipfile.ZipFile(checkpoint) as archive:
        return json.loads(archive.read("training_state.json"))["step"]


def steps_logged(directory):
    log = directory / LOG_NAME
    return [record["step"] for record in read_log(log)] if log.exists() else []


def test_a_run_survives_the_death_of_a_worker_and_goes_on_after_its_own(tmp_path):
    directory = tmp_path / "run"
    flags = ("--num_workers=1", "--backup_workers=1", "--max_number_of_steps=100000")
    flags += ("--save_interval_secs=1",)

    # ---- A worker dies, and another one takes its place.
    training = Training(directory, *flags)
    training.wait_for(lambda: len(steps_logged(directory)) > 0)
    killed = training.workers()[0]
    os.kill(killed, signal.SIGKILL)
    training.wait_for(lambda: "another is started" in training.output)
    training.wait_for(lambda: "has started anew" in training.output)
    assert len(training.workers()) == 2 and killed not in training.workers()

    # ---- The run itself dies.
    training.process.kill()
    training.process.wait()
    saved = step_of(directory / "model.keras")
    assert saved > 0

    # ---- It goes on from the checkpoint, and is told to stop.
    training = Training(directory, *flags)
    training.wait_for(lambda: f"after step {saved} of 100000" in training.output)
    # An epoch may have been logged whose checkpoint the kill forestalled: those do not count.
    epochs = len(steps_logged(directory))
    training.wait_for(lambda: len(steps_logged(directory)) > epochs)
    training.process.send_signal(signal.SIGTERM)
    code, output = training.end()
    assert code == 143 and "the same command goes on" in output, output
    stopped = step_of(directory / "model.keras")
    assert saved < stopped < 100000

    # ---- Each epoch of 44 steps is there; and nothing partial.
    steps = steps_logged(directory)
    assert steps == list(range(44, steps[-1] + 1, 44))
    assert not list(directory.glob(".*"))
