"""Trains an image classifier with a recipe; the same command resumes an interrupted run.

  nasnet-keras train --recipe=digits --train_dir=runs/digits

Flags override the recipe's values; --recipe=help lists the recipes with their values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasnet_keras.classification import Recipe, RunOptions, get_recipe
from nasnet_keras.classification.recipes import describe_recipes
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.data_problems import problems_listed
from nasnet_keras.programs.errors import FAILED, print_error
from nasnet_keras.programs.flags import Overrides
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Settings, hints


@dataclass(frozen=True)
class Flags(Settings):
    """What is trained, and where.

    Attributes:
        recipe: Name of the recipe, or 'help'.
        train_dir: Directory of the run.
    """

    recipe: str
    train_dir: str | None = None


def main(flags: Flags, overrides: dict[str, Any], options: RunOptions) -> int:
    if flags.recipe == "help":
        print(describe_recipes())
        return 0
    recipe = get_recipe(flags.recipe).override(**overrides)
    if not flags.train_dir:
        raise ValueError("--train_dir is missing: name the directory of the run")
    import_keras_quietly()
    from nasnet_keras.classification.trainer import train
    from nasnet_keras.training.callbacks import NonFiniteLossError
    from nasnet_keras.training.compilation_cache import keep_compiled_programs

    keep_compiled_programs()
    try:
        with problems_listed(options.dataset_dir):
            train(recipe, flags.train_dir, options=options)
    except NonFiniteLossError as error:
        print_error(error)
        return FAILED
    return 0


_SETTINGS = [name for name in hints(Recipe) if name != "name"]
PROGRAM = Program(main, (Flags, Overrides(Recipe, "the recipe's", _SETTINGS), RunOptions))
