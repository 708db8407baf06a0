"""Trained cells of searches as one CSV, for the studies that need real accuracies.

    python benchmarks/cell_table.py runs/cells_1 runs/cells_2 --output=benchmarks/digits_cells.csv \
        --command='python search_architecture.py run ...'

A line a network: those that several runs trained are taken from the first. The lines that begin
with # say what was run, with what settings and on what machine.
"""

from __future__ import annotations

import json

from absl import flags
from cells_csv import Row, cell_row, write_cells

from nasnet_keras.files.atomic_files import check_can_write
from nasnet_keras.programs.command_line import run
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.report.history import read_history

_OUTPUT = flags.DEFINE_string("output", None, "CSV file to write.")
_COMMAND = flags.DEFINE_multi_string("command", [], "How a run was made, for the record.")


def main(arguments: list[str]) -> None:
    if not arguments:
        raise ValueError("name one run directory or more")
    if not _OUTPUT.value:
        raise ValueError("--output is missing: name the .csv file to write")
    check_can_write(_OUTPUT.value)
    header = [f"command: {command}" for command in _COMMAND.value]
    rows: dict[tuple[str, str], Row] = {}
    spaces: dict[str, dict[str, object]] = {}
    for path in arguments:
        history = read_history(RunDirectory(path))
        # Cells of several sizes make one table, but a number means the same in all of it.
        choices = {**history.config.space, "num_blocks": None}
        if spaces.setdefault(history.space.name, choices) != choices:
            raise ValueError(f"{path} searches a space {history.space.name!r} with other choices")
        header.append(f"settings: {json.dumps(history.config.to_dict())}")
        for child in history.trained:
            row = cell_row(history, child)
            rows.setdefault((row["space"], row["architecture"]), row)
    if not rows:
        raise ValueError("no child has a reward yet")
    write_cells(_OUTPUT.value, header, list(rows.values()))


if __name__ == "__main__":
    run(main, "RUN_DIR...")
