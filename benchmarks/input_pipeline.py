"""How fast do images reach the network?

Reads, decodes, preprocesses and batches images with each preprocessing, as in training and as in
evaluation, and prints images per second: of the datasets that lie in `--dataset_dir`, those that
the preprocessing is meant for. `--demand=throughput.json` is what training steps take, as
`benchmarks/training_throughput.py --json` wrote it on the same machine: each row of a network's
image size then says how many times as fast the pipeline is. A number of images per second is for
all rows.
The layers that augment images in memory run on the backend's device and are measured apart.

    python benchmarks/input_pipeline.py --dataset_dir=DIR [--seconds=5] [--output=pipeline.json]
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags
from measurement import check_output, print_table, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Where TensorFlow Datasets prepared imagenet2012, cifar10.", required=True
)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_SECONDS = flags.DEFINE_float("seconds", 5, "How long to measure each.", lower_bound=0.1)
_DEMAND = flags.DEFINE_string(
    "demand",
    None,
    "JSON of benchmarks/training_throughput.py, or images per second that a training step takes.",
)
_ONLY = flags.DEFINE_list("preprocessing", [], "Preprocessings to measure; all by default.")

# Preprocessing, dataset, side of the images, batch: the recipes'.
_CASES = (
    ("inception", "imagenet2012", 224, 32),
    ("inception", "imagenet2012", 331, 16),
    ("inception_full", "imagenet2012", 224, 32),
    ("cifar", "cifar10", 32, 32),
    ("cifar_cutout", "cifar10", 32, 32),
    ("cifar_resize", "cifar10", 32, 32),
    ("cifar_color", "cifar10", 32, 32),
)


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    names = sorted({case[0] for case in _CASES})
    for name in _ONLY.value:
        if name not in names:
            raise ValueError(unknown_name("preprocessing", name, names))
    demand = read_demand(_DEMAND.value) if _DEMAND.value else None
    rows = measure_all(_DATASET_DIR.value, _ONLY.value or names, _SECONDS.value)
    if demand:
        rows = [row | compared(row, demand) for row in rows]
    print_table(rows, _cell)
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def read_demand(text: str) -> dict[int | None, float]:
    """Returns images per second that training takes by image size; `None` stands for every size.

    Of the rows of one size, the fastest network's count, because it asks for most.

    Raises:
        ValueError: Neither a number above 0 nor a file of the throughput benchmark.
    """
    wrong = (
        f"--demand={text}: expected images per second above 0 or a JSON file that "
        "benchmarks/training_throughput.py wrote"
    )
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        if not 0 < number < float("inf"):
            raise ValueError(wrong)
        return {None: number}
    demand: dict[int | None, float] = {}
    try:
        for row in json.loads(Path(text).read_text())["rows"]:
            rate = float(row["images_per_second"])
            if row["side"].startswith("ours"):
                demand[row["size"]] = max(rate, demand.get(row["size"], 0.0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(wrong) from error
    if not demand:
        raise ValueError(wrong)
    return demand


def compared(row: dict[str, Any], demand: dict[int | None, float]) -> dict[str, Any]:
    """Returns a training row's demand and how many times it is met; `None` where not known."""
    rate = demand.get(None, demand.get(row["size"])) if row["for"] == "training" else None
    return {"demand": rate, "times the demand": row["images/s"] / rate if rate else None}


def measure_all(dataset_dir: str, names: list[str], seconds: float) -> list[dict[str, Any]]:
    """Measures the preprocessings of these names on the datasets that are there.

    Raises:
        FileNotFoundError: None of their datasets is there.
    """
    from nasnet_keras.data.sources.registry import check_dataset

    rows, missing = [], None
    for name, dataset, size, batch in _CASES:
        if name not in names:
            continue
        try:
            check_dataset(dataset, "train", dataset_dir)
        except FileNotFoundError as error:
            missing = missing or error
            continue
        for training in (True, False):
            rate = images_per_second(dataset, dataset_dir, name, size, batch, training, seconds)
            rows.append(_row(name, dataset, size, batch, training, rate))
        if name in ("cifar", "cifar_cutout"):
            rate = augmented_per_second(name, size, batch, seconds)
            rows.append(_row(f"{name}, as a layer", "in memory", size, batch, True, rate))
    if not rows and missing:
        raise missing
    return rows


def images_per_second(
    dataset: str,
    dataset_dir: str,
    preprocessing: str,
    size: int,
    batch: int,
    training: bool,
    seconds: float,
) -> float:
    """Measures a stream from disk, after its first batch."""
    from nasnet_keras.data.streams.pipeline import image_batches

    stream = image_batches(
        dataset, "train", dataset_dir, preprocessing, size, batch, training=training
    )
    # Evaluation ends; in a small dataset, starting again is a part of what is measured.
    return _rate(iter(stream.batches.repeat()), batch, seconds)


def augmented_per_second(kind: str, size: int, batch: int, seconds: float) -> float:
    """Measures the augmentation layer, compiled, after its first batch."""
    import keras
    import numpy as np

    from nasnet_keras.data.augmentation import Augmentation

    images = np.random.default_rng(0).normal(size=(batch, size, size, 3)).astype(np.float32)
    layer = Augmentation(kind)
    compiled = _compiled(layer, keras.backend.backend())

    def batches() -> Iterator[Any]:
        while True:
            yield keras.ops.convert_to_numpy(compiled(images))

    return _rate(batches(), batch, seconds)


def _compiled(layer: Any, backend: str) -> Any:
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda images: layer(images, training=True))
    if backend == "jax":
        import jax

        variables = [variable.value for variable in layer.variables]
        call = jax.jit(lambda state, x: layer.stateless_call([], state, x, training=True)[0])
        return lambda images: call(variables, images)
    return lambda images: layer(images, training=True)


def _rate(batches: Iterator[Any], batch: int, seconds: float) -> float:
    next(batches)
    images, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        next(batches)
        images += batch
    return images / (time.perf_counter() - start)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _row(
    name: str, dataset: str, size: int, batch: int, training: bool, rate: float
) -> dict[str, Any]:
    return {
        "preprocessing": name,
        "dataset": dataset,
        "for": "training" if training else "evaluation",
        "size": size,
        "batch": batch,
        "images/s": rate,
    }


if __name__ == "__main__":
    run(main)
