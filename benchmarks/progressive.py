"""Does progressive search pick better cells than chance?

The step from one block to two, on a table of really trained cells: a new surrogate is fitted to the
cells of one block and puts those of two in order, as PNASNet's search does before it trains the
first of them; random search takes them in a random order. For each number of cells taken: their
mean accuracy, and the best of them. Intervals are Student's, 95 %, over seeds.

    python benchmarks/progressive.py --table=benchmarks/digits_cells.csv [--seeds=20] \
        [--surrogates=mlp-ensemble,...] [--output=progressive.json]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from absl import flags
from cells_csv import load_cells
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table
from studies import SURROGATES, interval, order_of_surrogate

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.text.suggestions import unknown_name

_TABLE = flags.DEFINE_string("table", "benchmarks/digits_cells.csv", "Table of trained cells.")
_SEEDS = flags.DEFINE_integer("seeds", 20, "Orders of each kind.", lower_bound=2)
_SURROGATES = flags.DEFINE_list("surrogates", list(SURROGATES), "What to compare with chance.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")

# Cells taken.
POINTS = (5, 10, 25, 50)


def main(_: list[str]) -> None:
    for name in _SURROGATES.value:
        if name not in SURROGATES:
            raise ValueError(unknown_name("surrogate", name, SURROGATES))
    check_output(_OUTPUT.value)
    cells = load_cells(_TABLE.value)
    if not {1, 2} <= set(cells) or len(cells[2][0]) < max(POINTS):
        raise ValueError(f"{_TABLE.value}: no cells of one block, or fewer than 50 of two")
    import_keras_quietly()
    accuracies = np.array(cells[2][1])
    seeds = range(_SEEDS.value)
    orders = {"random": [np.random.default_rng(s).permutation(len(accuracies)) for s in seeds]}
    for name in _SURROGATES.value:
        orders[name] = [order_of_surrogate(name, cells, seed) for seed in seeds]
        print(f"{name}: done", file=sys.stderr)
    rows = []
    for name, found in orders.items():
        taken = {k: np.array([accuracies[order[:k]] for order in found]) for k in POINTS}
        rows.append(
            {
                "order": name,
                "mean": {k: interval(values.mean(axis=1)) for k, values in taken.items()},
                "best": {k: interval(values.max(axis=1)) for k, values in taken.items()},
            }
        )
    Console(width=None if sys.stdout.isatty() else 200).print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def make_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.MARKDOWN)
    table.add_column("order")
    for what in ("mean", "best"):
        for k in POINTS:
            table.add_column(f"{what} of {k} (%)", justify="right")
    for row in rows:
        values = [row[what][k] for what in ("mean", "best") for k in POINTS]
        table.add_row(row["order"], *(f"{v['mean']:.2f} ± {v['half_width']:.2f}" for v in values))
    return table


if __name__ == "__main__":
    run(main)
