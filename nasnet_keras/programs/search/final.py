"""Trains the best cells of a search in full at several sizes, and writes the table.

  nasnet-keras search final --run_dir=runs/search --count=3 --num_cells=6,18 --filters=16,32

Each number of cells is trained with each number of filters. The table, final.html and final.csv,
has accuracy against multiply-adds, and the published networks beside. Flags override the recipe's
values; the same command resumes an interrupted one.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from nasnet_keras.classification import Recipe
from nasnet_keras.files.atomic_files import check_can_write
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.children import (
    ChildFlags,
    dataset_of,
    how_measured,
    make_executor,
    watched,
)
from nasnet_keras.programs.search.outputs import (
    BestFlags,
    check_suffix,
    default_output,
    print_table,
)
from nasnet_keras.settings import Count, Range
from nasnet_keras.text.plain_text import say as say_line

_OVERRIDES = (
    *("epochs", "batch_size", "learning_rate", "train_image_size"),
    *("dataset_split_name", "evaluation_split_name"),
)
# The recipe of a dataset.
_RECIPES = {"digits": "digits", "imagenet2012": "nasnet_mobile_imagenet"}


@dataclass(frozen=True, kw_only=True)
class Flags(BestFlags):
    """Which cells are trained, in which sizes, and where the table is written.

    Attributes:
        count: How many of the best cells: of those that `rerank` trained, or of all.
        num_cells: Numbers of normal cells. Default: the recipe's.
        filters: Numbers of filters of the first cells. Default: the recipe's.
        dataset_name: Dataset to train them on. Default: the search's.
        recipe: Their recipe. Default: digits or nasnet_mobile_imagenet for these datasets, else
            nasnet_cifar.
        output: The .html file to write; the .csv file is beside it. Default: final.html in the
            search's directory.
    """

    count: Count = 3
    num_cells: tuple[Annotated[int, Range(2)], ...] = ()
    filters: tuple[Annotated[int, Range(2)], ...] = ()
    dataset_name: str | None = None
    recipe: str | None = None
    output: str | None = None


def train_final(flags: Flags, overrides: dict[str, Any], child_flags: ChildFlags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.final_report import final_table, write_final_report
    from nasnet_keras.search.report.history import read_history
    from nasnet_keras.search.report.tables import title

    output = flags.output or default_output(flags.run_dir, "final.html")
    check_suffix(output, ".html")
    directory = RunDirectory(flags.run_dir)
    history = read_history(directory)
    dataset = flags.dataset_name or dataset_of(history)
    recipe = flags.recipe or _RECIPES.get(dataset, "nasnet_cifar")
    import_keras_quietly()
    from nasnet_keras.search.children.final import (
        FinalChild,
        Size,
        best_architectures,
        final_directory,
        published_rows,
        train_size,
    )

    architectures = best_architectures(directory, history, flags.count)
    children = {}
    for size in itertools.product(flags.num_cells or [None], flags.filters or [None]):
        size = Size(*size)
        children[size] = FinalChild(
            dataset,
            child_flags.dataset_dir,
            {**overrides, **size.overrides},
            child_flags.latency_runs,
            measured_by=how_measured(final_directory(directory, size)),
            recipe_name=recipe,
        )
    for child in children.values():
        child.check(history.space)
    check_can_write(output)
    rows, published = [], published_rows(dataset)
    for size, child in children.items():
        with watched(final_directory(directory, size)) as (say, progress):
            say(size.text)
            executor = make_executor(child_flags, child)
            rows += train_size(directory, size, architectures, child, executor, say, progress)
        if rows:
            heading = f"{title(history.config)}: recipe {recipe} on {dataset}"
            write_final_report(Path(output), heading, rows, published)
    # What was measured is in the files; a line of a terminal has no room for it.
    counted = [dataclasses.replace(row, latency_ms=None, peak_bytes=None) for row in rows]
    print_table(final_table([*counted, *published]))
    say_line(f"wrote {output}")


PROGRAM = Program(train_final, (Flags, Overrides(Recipe, "the recipe's", _OVERRIDES), ChildFlags))
