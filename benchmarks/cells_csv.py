"""A table of trained cells: what `cell_table.py` writes and the studies read."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from measurement import environment

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.search import PNASSpace
from nasnet_keras.search.engine.search_state import Trained
from nasnet_keras.search.report.history import History

COLUMNS: tuple[str, ...] = (
    "space",
    "architecture",
    "accuracy",
    "parameters",
    "multiply_adds",
    "seconds",
    "seed",
)

_SETTINGS = "# settings: "

Row = dict[str, Any]

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


def cell_row(history: History, child: Trained) -> Row:
    """Returns the line of a trained child; of one network, all ways to write it down are one."""
    return {
        "space": history.space.name,
        "architecture": history.space.key(child.architecture),
        "accuracy": child.accuracy,
        "parameters": child.values.get("parameters", ""),
        "multiply_adds": child.values.get("multiply_adds", ""),
        "seconds": child.seconds,
        "seed": history.config.seed,
    }


def write_cells(path: str | os.PathLike[str], header: Sequence[str], rows: Sequence[Row]) -> None:
    """Writes a table, small cells first, after lines that say how it was made and on what."""
    lines = [*header, f"read on: {json.dumps(environment())}"]
    ordered = sorted(rows, key=lambda r: (len(r["architecture"]), r["space"], r["architecture"]))
    with (
        atomic_write(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        file.writelines(f"# {line}\n" for line in lines)
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(ordered)
    print(f"wrote {len(rows)} networks to {os.fspath(path)}", file=sys.stderr)


def settings_of(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Returns the settings of each search that a table was made of."""
    return [json.loads(li.removeprefix(_SETTINGS)) for li in lines if li.startswith(_SETTINGS)]
