"""Signals that come at an awkward moment."""

import os
import signal
import subprocess
import sys

import pytest

IN_DESTRUCTOR = """
import os, sys, time
from nasnet_keras.programs.errors import reported

class Awkward:
    def __del__(self):
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(0.01)

with reported():
    Awkward()
    time.sleep(30)
    print("nothing came")
"""
# As native libraries do with what a function of Python raises that they call.
CHANGED = """
import os, sys, time
from nasnet_keras.programs.errors import reported

with reported():
    try:
        os.kill(os.getpid(), int(sys.argv[1]))
        time.sleep(30)
    except BaseException:
        pass
    raise RuntimeError("of a library")
"""


@pytest.mark.parametrize(
    "script", [IN_DESTRUCTOR, CHANGED], ids=["in a destructor", "made another error"]
)
@pytest.mark.parametrize(
    ("number", "word"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")]
)
def test_a_signal_is_not_lost(script: str, number: signal.Signals, word: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script, str(int(number))],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert (done.returncode, done.stderr, done.stdout) == (128 + number, f"{word}\n", "")
