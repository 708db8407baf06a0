"""Trained cells of searches as one CSV, for the studies that need real accuracies.

    python benchmarks/cell_table.py runs/cells_1 runs/cells_2 --output=benchmarks/digits_cells.csv \
        --command='python search_architecture.py run ...'

A line a network: those that several runs trained are taken from the first. The lines that begin
with # say what was run, with what settings and on what machine.
"""

from __future__ import annotations

import csv
import json
import os
import sys

from absl import flags
from cells_csv import COLUMNS
from measurement import environment

from nasnet_keras.files.atomic_files import atomic_write, check_can_write
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
    rows: dict[tuple[str, str], dict[str, object]] = {}
    spaces: dict[str, dict[str, object]] = {}
    for path in arguments:
        history = read_history(RunDirectory(path))
        # Cells of several sizes make one table, but a number means the same in all of it.
        choices = {**history.config.space, "num_blocks": None}
        if spaces.setdefault(history.space.name, choices) != choices:
            raise ValueError(f"{path} searches a space {history.space.name!r} with other choices")
        header.append(f"settings: {json.dumps(history.config.to_dict())}")
        for child in history.trained:
            space = history.space.name
            # Of one network, all ways to write it down are one.
            key = history.space.key(child.architecture)
            row = {
                "space": space,
                "architecture": key,
                "accuracy": child.accuracy,
                "parameters": child.values.get("parameters", ""),
                "multiply_adds": child.values.get("multiply_adds", ""),
                "seconds": child.seconds,
                "seed": history.config.seed,
            }
            rows.setdefault((space, key), row)
    if not rows:
        raise ValueError("no child has a reward yet")
    header.append(f"read on: {json.dumps(environment())}")
    with (
        atomic_write(_OUTPUT.value) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as file,
    ):
        file.writelines(f"# {line}\n" for line in header)
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows[name] for name in sorted(rows, key=lambda n: (len(n[1]), n)))
    print(f"wrote {len(rows)} networks to {os.fspath(_OUTPUT.value)}", file=sys.stderr)


if __name__ == "__main__":
    run(main, "RUN_DIR...")
