"""What does the check of image files cost beyond decoding them?

Writes photographs of about 100 kB, then decodes and checks them in turns on the same cores: by the
reader of training alone, and as `nasnet-keras check-data` does, with digests and an empty cache;
and checks all once more, out of the cache. Prints images per second, of the wall and of the
processor's clock, and by how much the memory of the process grew from the first tenth of the check
to its end.

    python benchmarks/image_check.py [--images=400] [--output=check.json]
"""

from __future__ import annotations

import io
import os
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from measurement import check_output, print_table, rounded, write_json
from PIL import Image
from rich.console import Console

from nasnet_keras.data.check.image_check import checked_images
from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.data.read_ahead import cores
from nasnet_keras.programs.command_line import run

_IMAGES = flags.DEFINE_integer("images", 400, "How many photographs.", lower_bound=20)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_TEMPLATES, _TURNS = 20, 10
_QUIET = Console(quiet=True)


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    with tempfile.TemporaryDirectory() as directory:
        os.environ["KERAS_HOME"] = directory
        rows = measure(write_photographs(Path(directory), _IMAGES.value))
    print_table(rows, rounded(2))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def write_photographs(directory: Path, count: int) -> list[str]:
    """Writes JPEGs of about 100 kB, of which a few are different."""
    random = np.random.default_rng(0)
    encoded = []
    for _ in range(_TEMPLATES):
        coarse = random.integers(0, 256, (30, 40, 3), np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC))
        noisy = smooth.astype(int) + random.normal(0, 13, smooth.shape)
        file = io.BytesIO()
        Image.fromarray(noisy.clip(0, 255).astype("uint8")).save(file, "JPEG", quality=85)
        encoded.append(file.getvalue())
    paths = [directory / f"{number}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        path.write_bytes(encoded[number % _TEMPLATES])
    return list(map(str, paths))


def measure(paths: list[str]) -> list[dict[str, Any]]:
    """Decodes and checks the files in turns, so that both have the same share of the machine."""

    def decode(path: str) -> None:
        decode_image(Path(path).read_bytes())

    def decode_all(part: list[str]) -> None:
        with ThreadPoolExecutor(cores()) as pool:
            list(pool.map(decode, part))

    def check_all(part: list[str]) -> None:
        if any(image.problem for _, image in checked_images(part, console=_QUIET)):
            raise AssertionError("a sound file was found to be damaged")

    decode_all(paths[:_TEMPLATES])
    kinds = {"decoded": decode_all, "checked": check_all}
    clocks = {kind: np.zeros(2) for kind in kinds}
    size = -(-len(paths) // _TURNS)
    memory = []
    for start in range(0, len(paths), size):
        for kind, function in kinds.items():
            clocks[kind] += _clocked(function, paths[start : start + size])
        memory.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    clocks["checked again"] = _clocked(check_all, paths)
    mean = sum(map(os.path.getsize, paths)) / len(paths) / 1000
    return [
        {
            "files": kind,
            "images": len(paths),
            "kB each": mean,
            "cores": cores(),
            "images/s": len(paths) / wall,
            "images/s of processor": len(paths) / processor,
            "of decoding": clocks["decoded"][1] / processor,
            "memory grew, MB": memory[-1] - memory[0],
        }
        for kind, (wall, processor) in clocks.items()
    ]


def _clocked(function: Callable[[list[str]], None], part: list[str]) -> np.ndarray:
    wall, processor = time.perf_counter(), time.process_time()
    function(part)
    return np.array([time.perf_counter() - wall, time.process_time() - processor])


if __name__ == "__main__":
    run(main)
