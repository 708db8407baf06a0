"""A table of trained cells: what `cell_table.py` writes and the studies read."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable
from typing import Any

from nasnet_keras.search import PNASSpace

COLUMNS = (
    "space",
    "architecture",
    "accuracy",
    "parameters",
    "multiply_adds",
    "seconds",
    "seed",
)

_SETTINGS = "# settings: "

Cells = dict[int, tuple[list[tuple[int, ...]], list[float]]]


def load_cells(path: str | os.PathLike[str]) -> Cells:
    """Reads the cells of PNASNet's space.

    Args:
        path: A CSV file with the columns `space`, `architecture` (decisions with dots between) and
            `accuracy` (in [0, 1]); lines that begin with # are left out.

    Returns:
        By number of blocks, the cells and their accuracies.

    Raises:
        OSError: The file cannot be read.
        ValueError: A column is missing, a line is no cell (the message names the line), or the
            space does not have all operations.
    """
    cells: Cells = {}
    with open(path, newline="", encoding="utf-8") as file:
        everything = list(enumerate(file, 1))
    for settings in settings_of(line for _, line in everything):
        # Their numbers mean other operations there.
        if "operations" in settings["space"]:
            raise ValueError(f"{os.fspath(path)}: a table of all operations is expected")
    lines = [(number, line) for number, line in everything if not line.startswith("#")]
    reader = csv.DictReader(line for _, line in lines)
    for column in COLUMNS[:3]:
        if column not in (reader.fieldnames or ()):
            raise ValueError(f"{os.fspath(path)}: no column {column!r}")
    for row in reader:
        number = lines[reader.line_num - 1][0]
        try:
            if row["space"] != "pnas":
                raise ValueError(f"a cell of space 'pnas' is expected, got {row['space']!r}")
            values = [int(value) for value in row["architecture"].split(".")]
            blocks = max(1, len(values) // 4)
            architecture = PNASSpace(blocks).check(values)
            accuracy = float(row["accuracy"])
            if not 0 <= accuracy <= 1:
                raise ValueError(f"an accuracy is in [0, 1], got {accuracy:g}")
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}, line {number}: {error}") from None
        group = cells.setdefault(blocks, ([], []))
        group[0].append(architecture)
        group[1].append(accuracy)
    if not cells:
        raise ValueError(f"{os.fspath(path)}: no cell")
    return {blocks: cells[blocks] for blocks in sorted(cells)}


def settings_of(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Returns the settings of each search that a table was made of."""
    return [json.loads(li.removeprefix(_SETTINGS)) for li in lines if li.startswith(_SETTINGS)]
