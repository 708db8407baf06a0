"""Does a served classifier live on, and keep its memory, under requests that are all wrong?

Loads an exported SavedModel and sends it wrong tensors, refused files and damaged ones in turn,
with a good file after every hundred, and prints the process's resident memory and the good file's
best class.

    python benchmarks/served_requests.py --saved_model=runs/digits/saved_model [--requests=1000]
"""

from __future__ import annotations

import io
import os
import struct
import time
from collections import Counter
from itertools import cycle
from typing import Any

import numpy as np
from absl import flags
from PIL import Image
from rich import box
from rich.console import Console
from rich.table import Table

from nasnet_keras.programs.command_line import run

_SAVED_MODEL = flags.DEFINE_string("saved_model", None, "What export_saved_model.py wrote.")
_REQUESTS = flags.DEFINE_integer("requests", 1000, "Wrong requests.", lower_bound=1)
_EVERY = 100


def main(_: list[str]) -> int:
    if not _SAVED_MODEL.value:
        raise ValueError("--saved_model is missing")
    import tensorflow as tf

    signatures = tf.saved_model.load(_SAVED_MODEL.value).signatures
    [spec] = signatures["serving_default"].structured_input_signature[1].values()
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    good = {"image_bytes": tf.constant([encoded(pixels, "PNG")])}
    table = Table("wrong requests", "MB", "seconds", "best class of a good file", box=box.MARKDOWN)
    answers: Counter[str] = Counter()
    start, wrong = time.perf_counter(), cycle(wrong_requests(tf, spec.shape[1], pixels))
    for number in range(_REQUESTS.value + 1):
        if number % _EVERY == 0:
            best = signatures["serve_bytes"](**good)["names"].numpy()[0, 0].decode()
            table.add_row(
                str(number), f"{memory():.0f}", f"{time.perf_counter() - start:.0f}", best
            )
        answers[answer(tf, signatures, next(wrong))] += 1
    Console(width=200).print(table)
    print(", ".join(f"{count} {kind}" for kind, count in answers.most_common()))
    return 0


def wrong_requests(tf: Any, side: int, pixels: np.ndarray) -> list[dict[str, Any]]:
    png, jpeg = encoded(pixels, "PNG"), encoded(pixels, "JPEG")
    large = png[:16] + struct.pack(">II", 30000, 30000) + png[24:]
    images = [
        *(tf.zeros(shape) for shape in ((side, side, 3), (), (0, side, side, 3))),
        *(tf.zeros(shape) for shape in ((9, 999, 999, 3), (9, side, side, 4))),
        tf.fill((9, side, side, 3), np.nan),
        tf.zeros((9, side, side, 3), tf.int32),
    ]
    files = [b"", b"<html>", encoded(pixels, "GIF"), large, jpeg[:-9999], png[:-9999]]
    return [
        *({"images": each} for each in images),
        *({"image_bytes": tf.constant([png, file])} for file in files),
        {"image_bytes": tf.constant([[png]])},
    ]


def answer(tf: Any, signatures: Any, request: dict[str, Any]) -> str:
    """Returns how a request ended."""
    name = "serve_bytes" if "image_bytes" in request else "serving_default"
    try:
        found = signatures[name](**request)
    except tf.errors.InvalidArgumentError:
        return "failed"
    return "had a status" if found["status"].numpy()[1] else "were answered"


def encoded(pixels: np.ndarray, file_format: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return stream.getvalue()


def memory() -> float:
    """Returns the resident memory of this process in MB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    run(main)
