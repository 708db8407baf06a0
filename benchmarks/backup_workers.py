"""What do backup workers save where some workers are slow, and what do they cost?

  python benchmarks/backup_workers.py

Workers on Ray on this machine run the real pool of `--distribution=ray`; their computing is a
sleep of `--seconds`, ten times that where a worker is slow, and what they are sent and send is the
numbers of the digits' network: a dozen networks would not compute side by side on a few cores. Step
times are medians, or means where slowness is random.

The closed form for random slowness takes every worker to be free when a step begins; `in turn` is
the same with workers that are still busy with an earlier step, as the pool's and the paper's are,
simulated in virtual time. The last table is arithmetic: what goes over the network in a step.
"""

import functools
import math
import os
import random
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import flags
from measurement import check_output, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run
from nasnet_keras.ray_cluster import import_ray, join_ray
from nasnet_keras.training.backup_workers.pool import WorkerPool

_SECONDS = flags.DEFINE_float("seconds", 0.5, "What a share takes.", lower_bound=0.01)
_STEPS = flags.DEFINE_integer("steps", 12, "Steps with a slow worker.", lower_bound=3)
_RANDOM_STEPS = flags.DEFINE_integer("random_steps", 60, "Steps with random slowness.")
_OUTPUT = flags.DEFINE_string("output", None, "File for the result.")

_SLOW = 10
_PROBABILITY = 0.1
_NEEDED = 8
_NUMBERS = 100_000
# The paper's, on ImageNet.
_WORKERS, _WORKERS_NEEDED = 53, 50
# Of networks, in bytes per second: 10, 25 and 100 Gbit/s.
_RATES = {"10 Gbit/s": 1.25e9, "25 Gbit/s": 3.125e9, "100 Gbit/s": 12.5e9}


def sleeper(seconds, slow=None, probability=0.0):
    """Returns what computes by sleeping.

    Args:
        seconds: What a share takes.
        slow: A file that the one worker makes that is always slow; `None`: there is none.
        probability: Of any share to be slow.
    """
    always = False
    if slow is not None:
        try:
            os.close(os.open(slow, os.O_CREAT | os.O_EXCL))
            always = True
        except FileExistsError:
            pass

    def compute(step, share, state):
        is_slow = always or random.Random(f"{step}/{share}").random() < probability
        time.sleep(seconds * (_SLOW if is_slow else 1))
        return np.ones_like(state)

    return compute


def step_times(make, needed, spare, steps):
    """Returns how long steps took, but for the first, in seconds."""
    pool = WorkerPool(make, needed, spare, cpus=0.0)
    pool.wait_until_ready(600.0, needed + spare)
    state, times = np.zeros(_NUMBERS, np.float32), []
    for step in range(steps + 1):
        began = time.perf_counter()
        pool.step(step, state)
        times.append(time.perf_counter() - began)
    pool.close()
    return times[1:]


def closed_form(needed, spare):
    """Returns the mean time of a step, in shares, where every worker is free when it begins."""
    workers, p = needed + spare, _PROBABILITY
    in_time = sum(math.comb(workers, k) * p**k * (1 - p) ** (workers - k) for k in range(spare + 1))
    return in_time + _SLOW * (1 - in_time)


def in_turn(needed, spare, steps=200_000):
    """Returns the mean time of a step, in shares, where late workers are still busy."""
    generator = random.Random(0)
    now, free = 0.0, [0.0] * (needed + spare)
    for _ in range(steps):
        # A worker that becomes free within the step takes part in it.
        spans = []
        for begin in (max(now, each) for each in free):
            slow = generator.random() < _PROBABILITY
            spans.append((begin, begin + (_SLOW if slow else 1)))
        now = sorted(end for _, end in spans)[needed - 1]
        free = [end if begin < now else begin for begin, end in spans]
    return now / steps


def permanent(seconds):
    """Returns the rows of one worker that is always slow."""
    rows, directory = [], Path(tempfile.mkdtemp())
    for name, needed, spare, is_slow in (
        ("8 of 10, none slow", 8, 2, False),
        ("8 of 10, one slow", 8, 2, True),
        ("10 of 10, one slow", 10, 0, True),
    ):
        make = functools.partial(sleeper, seconds, str(directory / name) if is_slow else None)
        median = statistics.median(step_times(make, needed, spare, _STEPS.value))
        undisturbed = rows[0]["seconds"] if rows else median
        rows.append({"case": name, "seconds": median, "ratio": median / undisturbed})
        print(f"{name:22} {median:8.3f} s {median / undisturbed:8.2f}", flush=True)
    return rows


def at_random(seconds):
    """Returns the rows of slowness at random."""
    rows = []
    for spare in (0, 1, 2, 4, 8):
        make = functools.partial(sleeper, seconds, None, _PROBABILITY)
        times = step_times(make, _NEEDED, spare, _RANDOM_STEPS.value)
        row = {
            "spare": spare,
            "measured": statistics.mean(times) / seconds,
            "error": statistics.stdev(times) / seconds / math.sqrt(len(times)),
            "closed_form": closed_form(_NEEDED, spare),
            "in_turn": in_turn(_NEEDED, spare),
        }
        rows.append(row)
        print(
            f"8 of {8 + spare:2} {row['measured']:12.2f} +-{row['error']:5.2f} "
            f"{row['closed_form']:12.2f} {row['in_turn']:12.2f}",
            flush=True,
        )
    return rows


def store_rate():
    """Returns how fast an array is put into the object store of this machine, bytes a second."""
    ray, array = import_ray(), np.zeros(25_000_000, np.float32)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        reference = ray.put(array)
        times.append(time.perf_counter() - began)
        del reference
    return array.nbytes / statistics.median(times)


def on_paper(rate_of_store):
    """Returns what a step of 50 needed and 3 backup workers moves, and how long that takes."""
    rows = []
    for name in ("nasnet_mobile", "nasnet_large"):
        size = 4 * nk.count_parameters(name)
        for label, rate in _RATES.items():
            # All workers are sent the weights, 50 bring gradients; both ways at once.
            row = {
                "network": name,
                "megabytes": size / 1e6,
                "gigabytes_out": _WORKERS * size / 1e9,
                "gigabytes_in": _WORKERS_NEEDED * size / 1e9,
                "network_rate": label,
                "ray_seconds": _WORKERS * size / rate,
                "store_seconds": (1 + _WORKERS_NEEDED) * size / rate_of_store,
                "all_reduce_seconds": 2 * size * (1 - 1 / _WORKERS_NEEDED) / rate,
            }
            rows.append(row)
            print(
                f"{name:14} {label:10} {row['gigabytes_out']:8.2f} {row['gigabytes_in']:8.2f} "
                f"{row['ray_seconds']:8.2f} {row['store_seconds']:8.2f} "
                f"{row['all_reduce_seconds']:12.3f}"
            )
    return rows


def largest_network(seconds, rate):
    """Returns up to which size the network is no bottleneck, in millions of weights.

    That is where moving them takes as long as a share: twice the time of a step without.
    """
    return seconds * rate / _WORKERS / 4 / 1e6


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    join_ray(None, 1, 60.0)
    seconds = _SECONDS.value
    print(f"one worker of ten is always {_SLOW} times slower; a share takes {seconds:g} s")
    rows = permanent(seconds)
    print(f"\nany share is slow with probability {_PROBABILITY:g}; mean step, in shares")
    print(f"{'':7} {'measured':>20} {'closed form':>12} {'in turn':>12}")
    rows += at_random(seconds)
    rate = store_rate()
    print(f"\nthe object store here takes {rate / 1e9:.2f} GB/s; a step of 50 and 3 workers:")
    names = ("GB out", "GB in", "s", "s store", "s all-reduce")
    print(f"{'':25}" + " ".join(f"{name:>{12 if name == names[-1] else 8}}" for name in names))
    rows += on_paper(rate)
    for label, rate in _RATES.items():
        sizes = ", ".join(f"{s:g} s: {largest_network(s, rate):.1f} M" for s in (0.5, 2.0, 8.0))
        print(f"{label}: as long as a share are the weights of a network of ({sizes})")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


if __name__ == "__main__":
    run(main)
