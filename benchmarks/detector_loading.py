"""How long does a published detector take to load, beside building it with random weights?

Writes the largest of the original detectors with golden weights, as a checkpoint and converted, and
measures side by side: reading every array of the checkpoint, building the detector, and
`create_detector` from each file. Ratios: the checkpoint to reading and building, aim at most 1.5;
the converted file to building, aim at most 1.2.

    python benchmarks/detector_loading.py [--output=loading.json]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from absl import flags
from measurement import check_output, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_ROUNDS = flags.DEFINE_integer("rounds", 3, "How often each is measured.")
_NAME = "nasnet_large_1200"
_SETTINGS = {"classes": 5, "image_size": (256, 256)}


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    # The golden detector is the tests'; a checkout has it, an installed package does not.
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from nasnet_keras.weights.slim_writer import write_checkpoint
    from nasnet_keras.weights.sources import convert, open_source
    from tests.golden_detector import golden_arrays

    with tempfile.TemporaryDirectory() as folder:
        arrays = golden_arrays("nas_256")
        values = {name: array.read() for name, array in arrays.items()}
        prefix = write_checkpoint(values, Path(folder) / "model.ckpt")
        converted = Path(folder) / "model.weights.h5"
        convert(arrays, converted)
        del values

        def read() -> None:
            with open_source(prefix) as (_, found):
                for array in found.values():
                    array.read()

        work: dict[str, Callable[[], Any]] = {
            "read": read,
            "build": lambda: nk.create_detector(_NAME, **_SETTINGS),
            "checkpoint": lambda: nk.create_detector(_NAME, weights=prefix, **_SETTINGS),
            "converted": lambda: nk.create_detector(_NAME, weights=converted, **_SETTINGS),
        }
        rounds = [
            {name: seconds(each) for name, each in work.items()} for _ in range(_ROUNDS.value)
        ]
    times = {name: median(each[name] for each in rounds) for name in work}
    ratios = {
        "checkpoint / (read + build)": times["checkpoint"] / (times["read"] + times["build"]),
        "converted / build": times["converted"] / times["build"],
    }
    for name, value in times.items():
        print(f"{name:28} {value:6.1f} s")
    for name, value in ratios.items():
        print(f"{name:28} {value:6.2f}")
    if _OUTPUT.value:
        write_json(_OUTPUT.value, {"seconds": times, "ratios": ratios})


def seconds(function: Callable[[], Any]) -> float:
    import keras

    keras.backend.clear_session()
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    run(main)
