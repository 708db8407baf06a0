"""The cells of NAS-Bench-201 (Dong and Yang 2020) as a search space with known rewards."""

from __future__ import annotations

import csv
import os

import numpy as np

from nasnet_keras.search import CategoricalSpace

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ("0->1", "0->2", "1->2", "0->3", "1->3", "2->3")


def make_space() -> CategoricalSpace:
    """Returns the six decisions, one an edge."""
    return CategoricalSpace("nasbench201", dict.fromkeys(EDGES, OPERATIONS))


def load_table(path: str) -> tuple[CategoricalSpace, np.ndarray, np.ndarray]:
    """Reads the table of trained cells.

    Args:
        path: A CSV file with the columns `cell`, `cifar10_valid_accuracy` and
            `cifar10_test_accuracy` (percent).

    Returns:
        The space, and validation and test accuracies in [0, 1], each of shape `(5,) * 6`, indexed
        by an architecture.

    Raises:
        OSError: The file cannot be read.
        ValueError: A column is missing, a line is no cell, or a cell is missing.
    """
    space = make_space()
    tables = [np.full((len(OPERATIONS),) * len(EDGES), np.nan) for _ in range(2)]
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        columns = ("cell", "cifar10_valid_accuracy", "cifar10_test_accuracy")
        for column in columns:
            if column not in (reader.fieldnames or ()):
                raise ValueError(f"{os.fspath(path)}: no column {column!r}")
        for row in reader:
            try:
                architecture = parse(space, row["cell"])
                values = [float(row[column]) / 100.0 for column in columns[1:]]
            except ValueError as error:
                raise ValueError(f"{os.fspath(path)}, line {reader.line_num}: {error}") from None
            for table, value in zip(tables, values, strict=True):
                table[architecture] = value
    missing = int(np.isnan(tables[0]).sum() + np.isnan(tables[1]).sum())
    if missing:
        raise ValueError(f"{os.fspath(path)}: {missing} of {2 * space.count()} values are missing")
    return space, tables[0], tables[1]


def parse(space: CategoricalSpace, cell: str) -> tuple[int, ...]:
    """Returns the architecture of a line such as `|avg_pool_3x3~0|+|none~0|skip_connect~1|+...`."""
    operations = {}
    for target, node in enumerate(cell.split("+"), start=1):
        for entry in node.strip("|").split("|"):
            operation, _, source = entry.partition("~")
            operations[f"{source}->{target}"] = operation
    return space.encode(operations)
