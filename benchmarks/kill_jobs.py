"""The jobs that are killed, and what each has to leave in the end."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.engine.snapshot import load_snapshot
from nasnet_keras.training.log import read_log

_TINY = ("--num_cells=2", "--filters=2", "--stem_filters=4")
_CHILDREN = ("--num_cells=2", "--filters=2", "--epochs=1", "--latency_runs=0", "--batch_size=256")
# What says how long something took; nothing else may differ.
_TIMES = frozenset({"time", "seconds", "train_seconds", "latency_ms"})
# Events of a search that say who ran it and how often a child was begun.
_RESTARTS = frozenset({"opened", "started"})


@dataclass(frozen=True)
class Job:
    """A command that is killed and given again.

    Attributes:
        words: The words of the console command, in a directory with the inputs.
        inputs: Names of inputs of `fuzzing.inputs` that it reads.
        left: Yields the name and content of all that has to be equal in the end.
    """

    words: tuple[str, ...]
    inputs: tuple[str, ...]
    left: Callable[[Path], Iterator[tuple[str, Any]]]


def _training(directory: Path) -> Iterator[tuple[str, Any]]:
    """A run: every array of its checkpoint, its state, its log, its scores."""
    run = directory / "out"
    yield from arrays(run / "model.keras")
    for record in read_log(run / "metrics.jsonl"):
        yield f"epoch {record['epoch']} of metrics.jsonl", _without_times(record)
    for name in ("config.json", "results.json", "metrics.json"):
        if (run / name).exists():
            yield name, (run / name).read_bytes()


def arrays(checkpoint: Path) -> Iterator[tuple[str, Any]]:
    """Yields the arrays of a `.keras` file by name, and the step and random state of the run."""
    with zipfile.ZipFile(checkpoint) as archive:
        with archive.open("model.weights.h5") as member:
            yield from h5_arrays(member)
        yield "training_state.json", archive.read("training_state.json")


def h5_arrays(source: Any) -> list[tuple[str, bytes]]:
    """Returns the arrays of an HDF5 file by name."""
    import h5py

    found: list[tuple[str, bytes]] = []

    def add(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found.append((name, item[()].tobytes()))

    with h5py.File(source, "r") as file:
        file.visititems(add)
    return found


def _search(directory: Path) -> Iterator[tuple[str, Any]]:
    """A search: each event of its journal, the genotypes and logs of its children, its strategy."""
    run = directory / "out"
    yield "config.json", (run / "config.json").read_bytes()
    events = [event for event, _ in read_journal(run / "journal.jsonl")]
    kept = [
        event
        for event in events
        if event["event"] not in _RESTARTS and not event.get("lost", False)
    ]
    for number, event in enumerate(kept):
        yield f"event {number} of journal.jsonl", _without_times(event)
    for child in sorted((run / "children").iterdir()):
        yield f"{child.name}/genotype.json", (child / "genotype.json").read_bytes()
        yield (
            f"{child.name}/metrics.jsonl",
            [*map(_without_times, read_log(child / "metrics.jsonl"))],
        )
    snapshot = load_snapshot(run / "snapshot.npz")
    for name, value in (snapshot.state if snapshot else {}).items():
        yield f"{name} of snapshot.npz", value if isinstance(value, dict | list) else str(value)


def _saved_model(directory: Path) -> Iterator[tuple[str, Any]]:
    """An export: its variables and labels. A graph names its functions anew each time."""
    import tensorflow as tf

    for path in sorted((directory / "out").rglob("*")):
        if path.name == "variables.index":
            # Keras numbers them in the order of a set.
            variables = tf.train.load_checkpoint(str(path.with_suffix("")))
            names = set(variables.get_variable_to_dtype_map()) - {"_CHECKPOINTABLE_OBJECT_GRAPH"}
            yield "variables", sorted(variables.get_tensor(name).tobytes() for name in names)
        elif path.is_file():
            has_values = path.suffix != ".pb" and path.parent.name != "variables"
            yield str(path.relative_to(directory)), path.read_bytes() if has_values else None


def _files(directory: Path) -> Iterator[tuple[str, Any]]:
    for path in sorted((directory / "out").rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), hashlib.sha1(path.read_bytes()).hexdigest()


def _converted(directory: Path) -> Iterator[tuple[str, Any]]:
    """A cache: every array of what was converted, and the other files; and what was found."""
    cache = directory / "keras" / "models"
    for path in sorted(cache.iterdir()):
        if path.suffix == ".h5":
            yield from h5_arrays(path)
        else:
            yield path.name, path.stat().st_size
    yield "detections.json", (directory / "out" / "detections.json").read_bytes()


def _without_times(record: dict[str, Any]) -> str:
    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: kept(each) for name, each in value.items() if name not in _TIMES}
        return value

    return json.dumps(kept(record))


JOBS: dict[str, Job] = {
    "classifier training": Job(
        (
            *("train", "--recipe=digits", "--train_dir=out", *_TINY, "--batch_size=128"),
            *("--optimizer=rmsprop", "--moving_average_decay=0.99", "--dropout=0.2"),
            *("--max_number_of_steps=220", "--save_interval_secs=0.5", "--notensorboard"),
        ),
        (),
        _training,
    ),
    "search, random": Job(
        (
            *("search", "run", "--strategy=random", "--space_option=num_blocks=1"),
            *("--dataset_name=digits", "--run_dir=out", "--budget=3", *_CHILDREN),
        ),
        (),
        _search,
    ),
    "search, PPO": Job(
        (
            *("search", "run", "--strategy=ppo", "--strategy_option=batch_size=2"),
            *("--space_option=num_blocks=1", "--dataset_name=digits", "--run_dir=out"),
            *("--budget=4", *_CHILDREN),
        ),
        (),
        _search,
    ),
    "detector training": Job(
        (
            *("detect", "train", "--config=detector.json", "--dataset_dir=coco", "--train_dir=out"),
            *("--max_number_of_steps=20", "--save_interval_secs=0.5", "--notensorboard"),
        ),
        ("detector.json", "coco"),
        _training,
    ),
    "export of a classifier": Job(
        ("export-saved-model", "--checkpoint_path=run", "--output_dir=out/model", "--overwrite"),
        ("run",),
        _saved_model,
    ),
    "export as files": Job(
        (
            *("export", "--checkpoint_path=run", "--output_dir=out/model", "--overwrite"),
            *("--format=onnx,openvino,litert", "--max_check_images=2"),
        ),
        ("run",),
        _files,
    ),
    "export of a detector": Job(
        (
            *("detect", "export", "--checkpoint_path=det", "--output_dir=out/model"),
            *("--formats=saved_model", "--max_check_images=1", "--overwrite"),
        ),
        ("det",),
        _saved_model,
    ),
    "conversion of weights": Job(
        (
            *("detect", "predict", "--checkpoint_path=coco:nasnet_large_1200", "--min_score=0"),
            *("--config=wide.json", "--output_dir=out", "images/a.png"),
        ),
        ("keras", "wide.json", "images"),
        _converted,
    ),
    "report of a search": Job(
        ("search", "report", "--run_dir=search", "--output=out/report.html"), ("search",), _files
    ),
    "drawing of a cell": Job(
        ("search", "draw", "--run_dir=search", "--output=out/cell.png"), ("search",), _files
    ),
}
