"""A layer-wise space whose networks were all trained: what `cell_table.py` wrote of a search."""

from __future__ import annotations

import csv
import itertools
import json
import os

import numpy as np
from cells_csv import COLUMNS

from nasnet_keras.search import Space, get_space

_SETTINGS = "# settings: "


def load_layers(path: str | os.PathLike[str]) -> tuple[Space, np.ndarray]:
    """Reads the accuracies of a whole space.

    Args:
        path: A CSV file with the columns `space`, `architecture` (canonical decisions with dots
            between) and `accuracy` (in [0, 1]), after a line with the settings of the search.

    Returns:
        The space, and the accuracies, indexed by an architecture.

    Raises:
        OSError: The file cannot be read.
        ValueError: The settings or a column are missing, a line is no network of the space, or
            networks are missing; the message names the line, or says how many.
    """
    name = os.fspath(path)
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(enumerate(file, 1))
    space = _space(name, [line for _, line in lines])
    rows = [(number, line) for number, line in lines if not line.startswith("#")]
    reader = csv.DictReader(line for _, line in rows)
    for column in COLUMNS[:3]:
        if column not in (reader.fieldnames or ()):
            raise ValueError(f"{name}: no column {column!r}")
    known: dict[str, float] = {}
    for row in reader:
        try:
            key = space.key([int(value) for value in row["architecture"].split(".")])
            known[key] = float(row["accuracy"])
            if not 0 <= known[key] <= 1:
                raise ValueError(f"an accuracy is in [0, 1], got {known[key]:g}")
        except ValueError as error:
            raise ValueError(f"{name}, line {rows[reader.line_num - 1][0]}: {error}") from None
    sizes = [len(decision.choices) for decision in space.decisions]
    keys = {a: space.key(a) for a in itertools.product(*map(range, sizes))}
    networks = set(keys.values())
    if missing := len(networks - set(known)):
        raise ValueError(f"{name}: {missing} of {len(networks)} networks are missing")
    accuracies = np.empty(sizes)
    for architecture, key in keys.items():
        accuracies[architecture] = known[key]
    return space, accuracies


def _space(name: str, lines: list[str]) -> Space:
    settings = [line.removeprefix(_SETTINGS) for line in lines if line.startswith(_SETTINGS)]
    if len(settings) != 1:
        raise ValueError(f"{name}: one line with {_SETTINGS!r} is expected, got {len(settings)}")
    values = dict(json.loads(settings[0])["space"])
    return get_space(values.pop("space"), **values)
