"""TF-Slim checkpoints, read into a network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nasnet_keras.weights.assign import (
    LoadReport,
    StoredArray,
    assign_strictly,
    check_scopes,
    set_missing_aside,
)
from nasnet_keras.weights.slim_names import (
    CLASSIFIER_SCOPE,
    STATISTICS,
    VARIABLE_WORDS,
    in_scopes,
    is_auxiliary,
    network_variables,
    slim_name,
    variable_path,
)
from nasnet_keras.weights.sources import open_source

AVERAGE = "/ExponentialMovingAverage"
_NO_AVERAGE = " (no moving average)"
_BOOKKEEPING = ("global_step", "beta1_power", "beta2_power")
_DETECTOR_SCOPE = "FirstStageFeatureExtractor/"
_CLASSIFIER_WORDS = ("FC/weights", "FC/biases")


def load_slim_checkpoint(
    model: keras.Model,
    prefix: str | os.PathLike[str],
    use_moving_averages: bool | None = False,
    exclude_scopes: Sequence[str] = (),
    drop_background: bool | None = False,
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from a TF-Slim checkpoint.

    Strict in both directions: every variable of the model must be in the checkpoint and every
    network variable of the checkpoint in the model, each with its shape; otherwise nothing in the
    model changes. Only an auxiliary head that the model does not have may be left over. The global
    step and optimizer slots are not read. TensorFlow is needed to read the file, whichever backend
    runs the model.

    Args:
        model: A network of this package.
        prefix: The checkpoint: its prefix (`model.ckpt`), its `.index` file, or a directory with a
            `checkpoint` file or one checkpoint; or a tar archive of one.
        use_moving_averages: Reads `<name>/ExponentialMovingAverage`, the weights that slim's
            published accuracies were measured with. Batch normalization's moving statistics are
            read by that name where the checkpoint has it and by their own where it does not. `None`
            does so with every variable.
        exclude_scopes: Scopes that stay as they are in the model, and are skipped in the
            checkpoint: `["final_layer", "aux_7"]` for another number of classes. Whole path
            segments are compared.
        drop_background: Leaves out class 0, slim's background: for a checkpoint of 1001 classes
            and a model of 1000. `None` does so just there.
        ignore_missing_vars: Leaves variables of the model that the checkpoint does not have as they
            are, as slim's flag of that name; `missing` in the report lists them.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such checkpoint.
        ValueError: The file is no checkpoint or is damaged, or it does not fit the model: one line
            with the number of variables missing, left over and of another shape, and the first ten
            of each.
        ImportError: TensorFlow is not installed.
    """
    with open_source(prefix) as (source, found):
        return assign_slim(
            *(model, source, found),
            use_moving_averages=use_moving_averages,
            exclude_scopes=exclude_scopes,
            drop_background=drop_background,
            ignore_missing_vars=ignore_missing_vars,
        )


def slim_checkpoint_shapes(prefix: str | os.PathLike[str]) -> dict[str, tuple[int, ...]]:
    """Returns the shape of everything in a checkpoint by name; arguments and errors as above."""
    with open_source(prefix) as (_, arrays):
        return {name: array.shape for name, array in arrays.items()}


def slim_checkpoint_step(prefix: str | os.PathLike[str]) -> int:
    """Returns the training step of a checkpoint, 0 where it has none; errors as above."""
    with open_source(prefix) as (_, arrays):
        step = arrays.get("global_step")
        if step is None:
            return 0
        value = np.asarray(step.read())
    if value.shape or value.dtype.kind not in "iu":
        raise ValueError(f"{os.fspath(prefix)} has no whole number as its global_step")
    return int(value)


def assign_slim(
    model: keras.Model,
    source: str,
    found: Mapping[str, StoredArray],
    *,
    use_moving_averages: bool | None,
    exclude_scopes: Sequence[str],
    drop_background: bool | None = False,
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from what `open_source` found; all else as above."""
    if any(name.startswith(_DETECTOR_SCOPE) for name in found):
        raise ValueError(
            f"{source} holds a detector, not a classifier: nk.load_detector_checkpoint reads it"
        )
    paths = network_variables(model)
    variables = {slim_name(path): variable for path, variable in paths.items()}
    arrays, ignored, averaged = choose_arrays(found, use_moving_averages)
    check_scopes(exclude_scopes, [*variables, *arrays])
    kept = [name for name in variables if in_scopes(name, exclude_scopes)]
    has_auxiliary = any(is_auxiliary(name) for name in variables)
    skipped = [
        name
        for name in arrays
        if in_scopes(name, exclude_scopes) or (is_auxiliary(name) and not has_auxiliary)
    ]
    for name in kept:
        del variables[name]
    for name in skipped:
        del arrays[name]
    if drop_background is None:
        drop_background = _is_background_alone(arrays, variables)
    if drop_background:
        _drop_background(arrays, variables, source)
    missing = []
    if ignore_missing_vars:
        missing = set_missing_aside(variables, arrays, source, model.name)
    parameters = assign_strictly(
        variables,
        arrays,
        source,
        model.name,
        lambda name: name.split("/", 1)[0],
        _advice(variables, arrays, found, use_moving_averages),
    )
    return LoadReport(
        source=source,
        assigned=tuple(variable_path(name) for name in variables),
        parameters=parameters,
        kept=tuple(variable_path(name) for name in kept),
        missing=tuple(variable_path(name) for name in missing),
        skipped=tuple(skipped),
        ignored=tuple(ignored),
        averaged=sum(name in averaged for name in variables),
    )


def choose_arrays(
    found: Mapping[str, StoredArray], use_moving_averages: bool | None
) -> tuple[dict[str, StoredArray], list[str], set[str]]:
    """Divides a checkpoint into what a network reads and what is ignored.

    Args:
        found: Everything in it, by name.
        use_moving_averages: As in `load_slim_checkpoint`.

    Returns:
        The arrays by plain name, the names ignored, and the plain names of those that are moving
        averages.
    """
    arrays: dict[str, StoredArray] = {}
    ignored: list[str] = []
    averaged: set[str] = set()
    for name, array in found.items():
        parts = name.split("/")
        if name in _BOOKKEEPING or (len(parts) > 1 and parts[-2] in VARIABLE_WORDS):
            # `<variable>/RMSProp`, `<variable>/Momentum`, `<variable>/ExponentialMovingAverage`
            ignored.append(name)
        else:
            arrays[name] = array
    if use_moving_averages is False:
        return arrays, ignored, averaged
    plain = arrays
    arrays = {}
    for name in dict.fromkeys([*plain, *(name.removesuffix(AVERAGE) for name in ignored)]):
        if f"{name}{AVERAGE}" in found:
            arrays[name] = found[f"{name}{AVERAGE}"]
            averaged.add(name)
            ignored.remove(f"{name}{AVERAGE}")
            if name in plain:
                ignored.append(name)
        elif name in plain:
            # Under its own name it would be loaded; so it is both missing and left over.
            needs_none = use_moving_averages is None or name.rsplit("/", 1)[-1] in STATISTICS
            arrays[name if needs_none else f"{name}{_NO_AVERAGE}"] = plain[name]
    return arrays, ignored, averaged


def _is_background_alone(arrays: Mapping[str, StoredArray], variables: Mapping[str, Any]) -> bool:
    """Returns whether a checkpoint has ImageNet's 1,000 classes and the background, a model not."""
    name = f"{CLASSIFIER_SCOPE}/FC/biases"
    if name not in arrays or name not in variables:
        return False
    return (arrays[name].shape[-1], int(variables[name].shape[-1])) == (1001, 1000)


def _drop_background(
    arrays: dict[str, StoredArray], variables: Mapping[str, Any], source: str
) -> None:
    """Slices class 0 off the classifiers' arrays, in place."""
    names = [name for name in arrays if name.endswith(_CLASSIFIER_WORDS) and name in variables]
    if not names:
        raise ValueError("drop_background=True, but no classifier is to be loaded")
    for name in names:
        theirs, ours = arrays[name].shape[-1], int(variables[name].shape[-1])
        if theirs != ours + 1:
            raise ValueError(
                f"drop_background=True makes {theirs - 1} classes of the {theirs} in {source}, but "
                f"the model has {ours}"
            )

    def sliced(array: StoredArray) -> StoredArray:
        return StoredArray((*array.shape[:-1], array.shape[-1] - 1), lambda: array.read()[..., 1:])

    for name in names:
        arrays[name] = sliced(arrays[name])


def _advice(
    variables: Mapping[str, Any],
    arrays: Mapping[str, StoredArray],
    found: Mapping[str, StoredArray],
    use_moving_averages: bool | None,
) -> list[str]:
    for name in variables:
        if name.endswith(_CLASSIFIER_WORDS) and name in arrays:
            extra = arrays[name].shape[-1] - variables[name].shape[-1]
            if extra == 1:
                return ["or drop_background=True to load them without class 0"]
    missing = [name for name in variables if name not in arrays]
    if not missing:
        return []
    if use_moving_averages and not any(name.endswith(AVERAGE) for name in found):
        return ["it has no moving averages: pass use_moving_averages=False"]
    if use_moving_averages is False and all(f"{name}{AVERAGE}" in found for name in missing):
        return ["it has their moving averages: pass use_moving_averages=True"]
    return []
