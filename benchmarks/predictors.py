"""How well do the surrogates rank cells, of the size they know and of the next?

Algorithm 2 of Liu et al. 2018, on a table of really trained cells: of the cells with b blocks, draw
K; fit a new surrogate to them; predict these cells, and all with b + 1 blocks; take Spearman's
coefficient of predicted and true accuracies. The mean over T draws is a number of the paper's table
1. Cells of b blocks that were not drawn are predicted as well, where there are any: the paper has
no such number, and its "trained size" is that of cells the surrogate was fitted to.

    python benchmarks/predictors.py --table=benchmarks/digits_cells.csv [--trials=20] \
        [--sample=256] [--surrogates=mlp,lstm,mlp-ensemble,lstm-ensemble] [--output=p.json]
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags
from cells_csv import load_cells
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.table import Table
from studies import SURROGATES

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.search import SurrogateSettings
from nasnet_keras.search.report.charts import rank_correlation
from nasnet_keras.text.suggestions import unknown_name

_TABLE = flags.DEFINE_string("table", "benchmarks/digits_cells.csv", "Table of trained cells.")
_TRIALS = flags.DEFINE_integer("trials", 20, "T: draws, each with a new surrogate.", lower_bound=1)
_SAMPLE = flags.DEFINE_integer("sample", 256, "K: cells fitted to, at most.", lower_bound=5)
_SURROGATES = flags.DEFINE_list(
    "surrogates", ["mlp", "lstm", "mlp-ensemble", "lstm-ensemble"], "What to compare."
)
_EPOCHS = flags.DEFINE_integer("epochs", None, "Passes of a fit. Default: the search's.")
_SEED = flags.DEFINE_integer("seed", 0, "Seed of draws and weights.", lower_bound=0)
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")

# Table 1 of the paper: trained size and one larger, for b = 1 to 4.
PUBLISHED = {
    "mlp": ((0.938, 0.113), (0.857, 0.450), (0.714, 0.469), (0.641, 0.444)),
    "lstm": ((0.970, 0.198), (0.996, 0.424), (0.693, 0.401), (0.787, 0.413)),
    "mlp-ensemble": ((0.975, 0.164), (0.786, 0.532), (0.634, 0.504), (0.645, 0.468)),
    "lstm-ensemble": ((0.972, 0.164), (0.906, 0.418), (0.801, 0.465), (0.579, 0.424)),
}

Group = tuple[Sequence[Sequence[int]], Sequence[float]]


def main(_: list[str]) -> None:
    for name in _SURROGATES.value:
        if name not in SURROGATES:
            raise ValueError(unknown_name("surrogate", name, SURROGATES))
    check_output(_OUTPUT.value)
    groups = load_cells(_TABLE.value)
    import_keras_quietly()
    largest = max(groups)
    rows = []
    for name in _SURROGATES.value:
        for blocks, cells in groups.items():
            settings = SURROGATES[name]
            if len(cells[0]) < settings.members:
                continue
            if blocks > 1:
                # As in a search, whose first fit is to cells of one block.
                settings = dataclasses.replace(settings, first_learning_rate=settings.learning_rate)
            if _EPOCHS.value:
                settings = dataclasses.replace(settings, epochs=_EPOCHS.value)
            numbers = evaluate(
                settings, largest, cells, groups.get(blocks + 1), _TRIALS.value, _SAMPLE.value,
                _SEED.value,
            )  # fmt: skip
            published = PUBLISHED[name][blocks - 1] if blocks <= 4 else (None, None)
            rows.append({"surrogate": name, "blocks": blocks, **numbers, "published": published})
            print(f"{name}, {blocks} blocks: done", file=sys.stderr)
    Console(width=None if sys.stdout.isatty() else 160).print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def evaluate(
    settings: SurrogateSettings,
    num_blocks: int,
    cells: Group,
    larger: Group | None,
    trials: int,
    sample: int,
    seed: int,
) -> dict[str, Any]:
    """Returns the mean coefficients of algorithm 2 for one size; `None` where there is none.

    Args:
        settings: The surrogate.
        num_blocks: Most blocks of a cell.
        cells: Cells of the size fitted to, and their accuracies.
        larger: Those of the next size.
        trials: T.
        sample: K, at most as many as there are cells.
        seed: Of draws and weights.

    Returns:
        `fitted`, `held_out` (cells not drawn), `larger`, and how many cells each is of.
    """
    from nasnet_keras.search.strategies.surrogate import Surrogate

    architectures, accuracies = cells
    count = min(sample, len(architectures))
    found: dict[str, list[float]] = {"fitted": [], "held_out": [], "larger": []}
    for trial in range(trials):
        order = np.random.default_rng([seed, trial]).permutation(len(architectures))
        parts: dict[str, Group] = {
            part: ([architectures[i] for i in chosen], [accuracies[i] for i in chosen])
            for part, chosen in (("fitted", order[:count]), ("held_out", order[count:]))
        }
        if larger is not None:
            parts["larger"] = larger
        surrogate = Surrogate(num_blocks, settings, seed + trial)
        surrogate.fit(*parts["fitted"])
        for part, (asked, truth) in parts.items():
            predicted = surrogate.predict(asked).tolist() if len(asked) else []
            coefficient = rank_correlation(predicted, truth)
            if coefficient is not None:
                found[part].append(coefficient)
    return {
        "cells": count,
        "held_out_cells": len(architectures) - count,
        "larger_cells": len(larger[0]) if larger else 0,
        **{part: float(np.mean(values)) if values else None for part, values in found.items()},
    }


def make_table(rows: list[dict[str, Any]]) -> Table:
    def shown(value: float | None) -> str:
        return "-" if value is None else f"{value:.3f}"

    table = Table(box=box.MARKDOWN)
    table.add_column("surrogate")
    headings = ("b", "cells", "fitted", "not drawn", "b + 1", "paper: fitted", "paper: b + 1")
    for heading in headings:
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row["surrogate"],
            str(row["blocks"]),
            str(row["cells"]),
            *(shown(row[part]) for part in ("fitted", "held_out", "larger")),
            *map(shown, row["published"]),
        )
    return table


if __name__ == "__main__":
    run(main)
