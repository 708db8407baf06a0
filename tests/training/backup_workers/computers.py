"""What workers of `test_pool` compute; without a backend, so that they start soon."""

import functools
import os
import time
from pathlib import Path


def _told(step, share, state):
    return step, share, state, os.getpid()


def telling():
    """Tells what it is asked, and by which process."""
    return _told


def late_with_share_0_of_step_0():
    """Brings one result long after the others."""

    def compute(step, share, state):
        if step == share == 0:
            time.sleep(3)
        return _told(step, share, state)

    return compute


def telling_unless(marker):
    """Starts only where there is no file."""
    while Path(marker).exists():
        time.sleep(0.05)
    return _told


def refusing(step, share, state):
    raise ValueError("image 7\nis damaged")


def dying(step, share, state):
    os._exit(1)


def always(compute):
    """Returns what makes a computer."""
    return functools.partial(_same, compute)


def _same(compute):
    return compute
