"""Trains an image classifier by a recipe; the same command continues a run that was cut off.

  python train_image_classifier.py --recipe=digits --train_dir=runs/digits

A flag left out keeps the recipe's value; --recipe=help lists the recipes with their values.
"""

import dataclasses
import sys
import typing

from absl import flags

from nasnet_keras.command_line import import_keras_quietly, run
from nasnet_keras.training import Recipe, get_recipe
from nasnet_keras.training.recipes import describe_recipes

_RECIPE = flags.DEFINE_string("recipe", None, "Name of the recipe, or 'help'.")
_DATASET_DIR = flags.DEFINE_string(
    "dataset_dir", None, "Directory of the datasets; the digits need none."
)
_TRAIN_DIR = flags.DEFINE_string("train_dir", None, "Directory of the run.")
_SETTINGS = [field.name for field in dataclasses.fields(Recipe) if field.metadata]


def _define_settings() -> None:
    """Makes each setting of a recipe a flag."""
    types = typing.get_type_hints(Recipe)
    for field in dataclasses.fields(Recipe):
        if field.name in _SETTINGS:
            kinds = typing.get_args(types[field.name]) or (types[field.name],)
            define = {
                bool: flags.DEFINE_bool,
                int: flags.DEFINE_integer,
                float: flags.DEFINE_float,
                str: flags.DEFINE_string,
            }[kinds[0]]
            define(field.name, None, f"{field.metadata['help']} Default: the recipe's.")


def main(arguments: list[str]) -> int:
    if _RECIPE.value == "help":
        print(describe_recipes())
        return 0
    if not _RECIPE.value:
        raise ValueError("--recipe is missing: name a recipe, e.g. --recipe=digits, or 'help'")
    given = {name: flags.FLAGS[name].value for name in _SETTINGS}
    recipe = get_recipe(_RECIPE.value).override(
        **{name: value for name, value in given.items() if value is not None}
    )
    if not _TRAIN_DIR.value:
        raise ValueError("--train_dir is missing: name the directory of the run")
    import_keras_quietly()
    from nasnet_keras.training.callbacks import NonFiniteLossError
    from nasnet_keras.training.trainer import train

    try:
        train(recipe, _TRAIN_DIR.value, dataset_dir=_DATASET_DIR.value)
    except NonFiniteLossError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


_define_settings()

if __name__ == "__main__":
    run(main)
