"""Weights files that are complete, and hold what they should not."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .json_damage import damage_json


def damage_hdf5(path: Path, source: random.Random) -> str:
    """Changes a weights file in place; returns what was done."""
    with h5py.File(path, "r+") as file:
        return _change_file(file, source)


def damage_keras(path: Path, source: random.Random) -> str:
    """Changes a `.keras` file in place: a member, or which there are; returns what was done."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    name = source.choice(list(members))
    how = source.choice(("changed", "changed", "changed", "changed", "gone", "empty", "one more"))
    if how == "gone":
        del members[name]
    elif how == "empty":
        members[name] = b""
    elif how == "one more":
        more = source.choice(("../outside", "/tmp/outside", "more.json", f"{name}/x", "a" * 5_000))
        members[more] = b"1"
        how = f"with {more[:30]} as well"
    elif name.endswith(".json"):
        text, done = damage_json(members[name].decode(), source)
        members[name], how = text.encode("utf-8", "surrogatepass"), done
    else:
        file = io.BytesIO(members[name])
        with h5py.File(file, "r+") as opened:
            how = _change_file(opened, source)
        members[name] = file.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in members.items():
            archive.writestr(each, content)
    return f"{name}: {how}"


def damage_npz(path: Path, source: random.Random) -> str:
    """Changes the arrays of an `.npz` file in place; returns what was done."""
    with np.load(path) as file:
        arrays: dict[str, Any] = dict(file)
    name = source.choice(list(arrays))
    how = source.choice([*_ARRAYS, "gone", "objects"])
    if how == "gone":
        del arrays[name]
    elif how == "objects":
        arrays[name] = np.array([{"a": 1}, None], object)
    else:
        arrays[name] = _ARRAYS[how](arrays[name])
    np.savez(path, **arrays)
    return f"{name}: {how}"


def _change_file(file: h5py.File, source: random.Random) -> str:
    names: list[str] = []
    file.visititems(lambda name, item: names.append(name) if _has_values(item) else None)
    # Keras numbers its own, slots of optimizers too.
    name = source.choice(names)
    how = source.choice([*_ARRAYS, "gone", "a group", "a name changed", "an attribute", "huge"])
    dataset = file[name]
    if how == "gone":
        del file[name]
    elif how == "a group":
        del file[name]
        file.create_group(name)
    elif how == "a name changed":
        file.move(name, f"{name}x")
    elif how == "an attribute":
        holder = source.choice([file, dataset, dataset.parent])
        key = source.choice([*holder.attrs, "weight_names", "layer_names", "keras_version"])
        holder.attrs[key] = source.choice((1, "x", np.zeros(3), np.array([b"\xff"])))
        how = f"attribute {key} changed"
    elif how == "huge":
        del file[name]
        # Takes no place on the disk, and 4 TB in memory.
        file.create_dataset(name, (10**6, 10**6), "float32", chunks=(1000, 1000))
    else:
        values = _ARRAYS[how](dataset[()])
        del file[name]
        file[name] = values
    return f"{name}: {how}"


def _has_values(item: Any) -> bool:
    return isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu"


def _with(values: Any, one: float) -> Any:
    if np.issubdtype(np.asarray(values).dtype, np.floating):
        values = np.array(values)
        values.reshape(-1)[:1] = one
    return values


_ARRAYS: dict[str, Callable[[Any], Any]] = {
    "with a NaN": lambda values: _with(values, np.nan),
    "with an infinity": lambda values: _with(values, np.inf),
    "one dimension more": lambda values: np.asarray(values)[None],
    "flat": lambda values: np.asarray(values).reshape(-1),
    "empty": lambda values: np.zeros((0,), "float32"),
    "a scalar": lambda values: np.float32(1),
    "a row more": lambda values: np.concatenate([np.atleast_1d(values)] * 2),
    "of 64 bits": lambda values: np.asarray(values).astype("float64") * 1e300,
    "whole numbers": lambda values: np.ones_like(values, "int64"),
    "texts": lambda values: np.array([b"a"] * 3),
    "complex": lambda values: np.ones(np.shape(values), "complex64"),
    "truths": lambda values: np.ones(np.shape(values), bool),
}
