"""Trains an image classifier by a recipe; the same command continues a run that was cut off.

  python train_image_classifier.py --recipe=digits --train_dir=runs/digits

A flag left out keeps the recipe's value; --recipe=help lists the recipes with their values.
"""

import dataclasses
import sys
import typing

from absl import flags

from nasnet_keras.classification import Recipe, get_recipe
from nasnet_keras.classification.recipes import describe_recipes
from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.training import RunOptions

_RECIPE = flags.DEFINE_string("recipe", None, "Name of the recipe, or 'help'.")
_TRAIN_DIR = flags.DEFINE_string("train_dir", None, "Directory of the run.")


def _define_flags(settings: type, default: str) -> list[str]:
    """Makes each documented field of a dataclass a flag; returns their names."""
    types = typing.get_type_hints(settings)
    fields = [field for field in dataclasses.fields(settings) if field.metadata]
    for field in fields:
        kinds = typing.get_args(types[field.name]) or (types[field.name],)
        define = {
            bool: flags.DEFINE_bool,
            int: flags.DEFINE_integer,
            float: flags.DEFINE_float,
            str: flags.DEFINE_string,
        }[kinds[0]]
        shown = default.format(field.default)
        define(field.name, None, f"{field.metadata['help']} Default: {shown}.")
    return [field.name for field in fields]


_SETTINGS = _define_flags(Recipe, "the recipe's")
_OPTIONS = _define_flags(RunOptions, "{}")


def _given(names: list[str]) -> dict[str, typing.Any]:
    values = {name: flags.FLAGS[name].value for name in names}
    return {name: value for name, value in values.items() if value is not None}


def main(arguments: list[str]) -> int:
    if _RECIPE.value == "help":
        print(describe_recipes())
        return 0
    if not _RECIPE.value:
        raise ValueError("--recipe is missing: name a recipe, e.g. --recipe=digits, or 'help'")
    recipe = get_recipe(_RECIPE.value).override(**_given(_SETTINGS))
    options = RunOptions(**_given(_OPTIONS))
    if not _TRAIN_DIR.value:
        raise ValueError("--train_dir is missing: name the directory of the run")
    import_keras_quietly()
    from nasnet_keras.classification.trainer import train
    from nasnet_keras.training.callbacks import NonFiniteLossError

    try:
        train(recipe, _TRAIN_DIR.value, options=options)
    except NonFiniteLossError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    run(main)
