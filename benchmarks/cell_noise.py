"""How much of a cell's accuracy is chance? Cells of a search, trained again with other seeds.

Cells are taken evenly over the ranks of all that a search on digits has trained, so that they are
not those that were lucky. How far a cell's accuracies are from their mean is chance; what the cells
differ by beyond that is theirs.

    python benchmarks/cell_noise.py runs/three_operations --output=benchmarks/digits_seeds.csv \
        [--count=50] [--seed=1 --seed=2] [--workers=2]

The searches with the other seeds are in `noise` beside the first one's files, and are resumed.
"""

from __future__ import annotations

import json

import numpy as np
from absl import flags
from cells_csv import cell_row, write_cells
from measurement import print_table, rounded
from studies import noise

from nasnet_keras.files.atomic_files import check_can_write
from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.programs.search.children import watched
from nasnet_keras.search import Architecture
from nasnet_keras.search.engine.run_directory import RunDirectory
from nasnet_keras.search.report.history import History, read_history

_OUTPUT = flags.DEFINE_string("output", None, "CSV file to write.")
_COUNT = flags.DEFINE_integer("count", 50, "Cells to train again.", lower_bound=10)
_SEEDS = flags.DEFINE_multi_integer("seed", [1, 2], "Another seed.", lower_bound=0)
_WORKERS = flags.DEFINE_integer("workers", 2, "Children trained at the same time.", lower_bound=1)


def main(arguments: list[str]) -> None:
    if len(arguments) != 1:
        raise ValueError("name one run directory")
    if not _OUTPUT.value:
        raise ValueError("--output is missing: name the .csv file to write")
    check_can_write(_OUTPUT.value)
    directory = RunDirectory(arguments[0])
    first = read_history(directory)
    if first.config.seed in _SEEDS.value:
        raise ValueError(f"--seed={first.config.seed} is the one that the search had: name others")
    ranked = first.ranked
    if len(ranked) < _COUNT.value:
        raise ValueError(f"--count={_COUNT.value}: only {len(ranked)} cells were trained")
    places = np.linspace(0, len(ranked) - 1, _COUNT.value).round().astype(int)
    cells = [ranked[place].architecture for place in places]
    again = [train_again(directory, first, cells, seed) for seed in sorted(set(_SEEDS.value))]
    accuracies, rows = [], []
    for history in (first, *again):
        children = {child.architecture: child for child in history.trained}
        if failed := len(set(cells) - set(children)):
            raise RuntimeError(f"{failed} of the cells failed with seed {history.config.seed}")
        accuracies.append([children[cell].accuracy for cell in cells])
        rows += [cell_row(history, children[cell]) for cell in cells]
    settings = f"settings: {json.dumps(first.config.to_dict())}"
    write_cells(_OUTPUT.value, [settings], rows)
    print_table(noise(100 * np.array(accuracies).T), rounded(2))


def train_again(
    directory: RunDirectory, first: History, cells: list[Architecture], seed: int
) -> History:
    """Trains cells of a search as it did, but with another seed."""
    import_keras_quietly()
    from nasnet_keras.search.children.child import PRELOAD, ClassifierChild
    from nasnet_keras.search.children.rerank import retrain
    from nasnet_keras.search.executors.local_executor import LocalExecutor

    child = ClassifierChild("digits", latency_runs=0)
    if child.config() != first.config.child:
        raise ValueError(f"{directory.path} has children of other settings than those of digits")
    own = RunDirectory(directory.path / "noise" / str(seed))
    with watched(own) as (say, progress):
        executor = LocalExecutor(child, _WORKERS.value, preload=PRELOAD)
        retrain(own, first, cells, child, executor, say, progress, seed)
    return read_history(own)


if __name__ == "__main__":
    run(main, "RUN_DIR")
