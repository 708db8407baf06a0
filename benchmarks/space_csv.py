"""A space whose networks were all trained: what `cell_table.py` wrote of a whole space's search."""

from __future__ import annotations

import csv
import os

from cells_csv import COLUMNS, settings_of
from known_space import KnownSpace, all_architectures

from nasnet_keras.search import Architecture, get_space


def load_space(path: str | os.PathLike[str]) -> KnownSpace:
    """Reads what is known of the networks of a whole space.

    Args:
        path: A CSV file with the columns `space`, `architecture` (canonical decisions with dots
            between), `accuracy` (in [0, 1]) and maybe `multiply_adds`, after a line with the
            settings of the search.

    Raises:
        OSError: The file cannot be read.
        ValueError: The settings or a column are missing, a line is no network of the space, or
            networks are missing; the message names the line, or says how many.
    """
    name = os.fspath(path)
    with open(path, newline="", encoding="utf-8") as file:
        lines = list(enumerate(file, 1))
    settings = settings_of([line for _, line in lines])
    if len(settings) != 1:
        raise ValueError(f"{name}: one line with '# settings: ' is expected, got {len(settings)}")
    values = dict(settings[0]["space"])
    space = get_space(values.pop("space"), **values)
    rows = [(number, line) for number, line in lines if not line.startswith("#")]
    reader = csv.DictReader(line for _, line in rows)
    for column in COLUMNS[:3]:
        if column not in (reader.fieldnames or ()):
            raise ValueError(f"{name}: no column {column!r}")
    accuracies: dict[Architecture, float] = {}
    multiply_adds: dict[Architecture, float] = {}
    for row in reader:
        try:
            form = space.canonical([int(value) for value in row["architecture"].split(".")])
            accuracies[form] = float(row["accuracy"])
            if not 0 <= accuracies[form] <= 1:
                raise ValueError(f"an accuracy is in [0, 1], got {accuracies[form]:g}")
            if row.get("multiply_adds"):
                multiply_adds[form] = float(row["multiply_adds"])
        except ValueError as error:
            raise ValueError(f"{name}, line {rows[reader.line_num - 1][0]}: {error}") from None
    canonical = {a: space.canonical(a) for a in all_architectures(space)}
    networks = set(canonical.values())
    if missing := len(networks - set(accuracies)):
        raise ValueError(f"{name}: {missing} of {len(networks)} networks are missing")
    known = multiply_adds if len(multiply_adds) == len(networks) else None
    return KnownSpace(space, canonical, accuracies, multiply_adds=known)
