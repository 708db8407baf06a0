"""Retrains the best children of a search, longer, and ranks them anew.

  nasnet-keras search rerank --run_dir=runs/search --count=5 --workers=2

Flags override the recipe's values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasnet_keras.classification import Recipe
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.children import (
    CHILD_FIELDS,
    ChildFlags,
    dataset_of,
    how_measured,
    make_executor,
    watched,
)
from nasnet_keras.programs.search.outputs import BestFlags, print_table


@dataclass(frozen=True, kw_only=True)
class Flags(BestFlags):
    """Which children are retrained, and how.

    Attributes:
        recipe: Their recipe. Default: digits for that dataset, else nasnet_cifar.
    """

    recipe: str | None = None


def rerank_children(flags: Flags, overrides: dict[str, Any], child_flags: ChildFlags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.history import read_history, rerank_directory
    from nasnet_keras.search.report.tables import reranking

    directory = RunDirectory(flags.run_dir)
    history = read_history(directory)
    dataset = dataset_of(history)
    import_keras_quietly()
    from nasnet_keras.search.children.rerank import RerankChild, rerank

    recipe = flags.recipe or ("digits" if dataset == "digits" else "nasnet_cifar")
    child = RerankChild(
        dataset,
        child_flags.dataset_dir,
        overrides,
        child_flags.latency_runs,
        measured_by=how_measured(rerank_directory(directory)),
        recipe_name=recipe,
    )
    child.check(history.space)
    with watched(rerank_directory(directory)) as (say, progress):
        executor = make_executor(child_flags, child)
        children = rerank(directory, flags.count, child, executor, say, progress)
    print_table(reranking(children, f"recipe {recipe}"))


PROGRAM = Program(
    rerank_children, (Flags, Overrides(Recipe, "the recipe's", CHILD_FIELDS), ChildFlags)
)
