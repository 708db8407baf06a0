"""Weights that this package itself saved: `.keras` and `.weights.h5` files."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from nasnet_keras.files.scratch import scratch
from nasnet_keras.weights.assign import (
    LoadReport,
    StoredArray,
    assign_strictly,
    check_scopes,
    first_line,
    set_missing_aside,
)
from nasnet_keras.weights.h5_file import open_h5
from nasnet_keras.weights.keras_archive import check_keras_file
from nasnet_keras.weights.slim_names import (
    CLASSIFIER_SCOPE,
    in_scopes,
    is_auxiliary,
    name_prefix,
    network_variables,
)
from nasnet_keras.weights.values import check_finite, model_values

_GROUP = "layers/"
# A layer, and the path of a variable in it, whose scope is the layer.
_LEGACY = re.compile(r"(?:model_weights/)?([^/]+)/(\1/.+)")
_AUXILIARY_GROUP, _CLASSIFIER_GROUP = "layers/auxiliary_head/", "layers/classifier_head/"


def load_keras_model(path: str | os.PathLike[str], compile: bool = False) -> keras.Model:
    """Loads a `.keras` file with Keras's safe mode on.

    Args:
        path: The file, or a folder of its members.
        compile: Loads its optimizer and losses too.

    Returns:
        The model.

    Raises:
        OSError: There is no such file.
        ValueError: It is truncated, no `.keras` file, holds what safe mode refuses, or no model; or
            a weight is not finite.
    """
    path = os.fspath(path)
    check_keras_file(path)
    try:
        with scratch():
            model = keras.saving.load_model(path, compile=compile, safe_mode=True)
    # Whatever is wrong with such a file (zip, JSON, HDF5, a class unknown), Keras's own way of
    # saying so differs from version to version.
    except Exception as error:
        reason = first_line(error)
        raise ValueError(f"{path} cannot be read as a network: {reason}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"{path} holds a {type(model).__name__}, not a network")
    check_finite(path, model_values(model))
    return model


def load_network(
    model: keras.Model,
    saved: keras.Model,
    source: str,
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
    averages: Mapping[str, np.ndarray] | None = None,
) -> LoadReport:
    """Sets a network's variables from those of another network of this package, by path.

    Drop path's step is left as it is in the model. An auxiliary head that the model does not have
    is skipped.

    Args:
        model: A network of this package.
        saved: The other one.
        source: How to call it in an error.
        exclude_scopes: Scopes that stay as they are in the model, as in `load_slim_checkpoint`.
        ignore_missing_vars: Leaves variables that the other one does not have as they are.
        averages: Values to use instead of those in `saved`, by path.

    Returns:
        What was set and what was left out.

    Raises:
        ValueError: The networks do not fit; nothing has changed.
    """
    variables = network_variables(saved)
    averages = averages or {}
    averages = {n: averages[v.path] for n, v in variables.items() if v.path in averages}

    def stored(path: str, variable: Any) -> StoredArray:
        def read() -> np.ndarray:
            if path in averages:
                return averages[path]
            return keras.ops.convert_to_numpy(variable)

        return StoredArray(tuple(variable.shape), read)

    arrays = {path: stored(path, variable) for path, variable in variables.items()}
    return _load_by_path(
        model, arrays, source, exclude_scopes, ignore_missing_vars, averages=averages
    )


def load_keras_file(
    model: keras.Model,
    path: str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from a `.keras` file of this package, by path.

    Args:
        model: A network of this package.
        path: The file.
        exclude_scopes: As in `load_network`.
        ignore_missing_vars: As in `load_network`.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or does not fit the model; nothing has changed.
    """
    saved = load_keras_model(path)
    return load_network(model, saved, os.fspath(path), exclude_scopes, ignore_missing_vars)


def is_own_weights_file(path: str | os.PathLike[str]) -> bool:
    """Returns whether an HDF5 file is of a network of this package: its weights or the whole.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no HDF5 file, or is damaged.
    """
    with open_h5(path) as arrays:
        return bool(_named(arrays)) or any(name.startswith(f"{_GROUP}cell/") for name in arrays)


def load_own_weights_file(
    model: keras.Model,
    path: str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from a `.weights.h5` file of this package, or a legacy `.h5`.

    The latter, as `model.save("model.h5")` writes it, names every variable. The former numbers the
    layers of a class instead. Which number is which variable, a file tells that is saved from a
    copy of the model in which every variable holds its own number.

    Args:
        model: A network of this package.
        path: The file. An auxiliary head that the model does not have is skipped, and a classifier
            too; so are drop path's step and the states of random generators.
        exclude_scopes: As in `load_network`.
        ignore_missing_vars: As in `load_network`.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or does not fit the model; nothing has changed.
    """
    source = os.fspath(path)
    with open_h5(source) as stored:
        if named := _named(stored):
            return _load_by_path(model, named, source, exclude_scopes, ignore_missing_vars)
        paths = _paths_in_file(model)
        has_classifier = any(in_scopes(path, [CLASSIFIER_SCOPE]) for path in paths.values())
        arrays: dict[str, StoredArray] = {}
        skipped = []
        for name, array in stored.items():
            if not name.startswith(_GROUP):
                continue
            if name in paths:
                arrays[paths[name]] = array
            elif not array.is_float:
                continue
            elif name.startswith(_AUXILIARY_GROUP) or (
                name.startswith(_CLASSIFIER_GROUP) and not has_classifier
            ):
                skipped.append(name)
            else:
                arrays[name] = array
        return _load_by_path(model, arrays, source, exclude_scopes, ignore_missing_vars, skipped)


def _named(stored: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Returns the weights in a legacy file of a network of this package by path, else none."""
    found = {match[2]: array for name, array in stored.items() if (match := _LEGACY.match(name))}
    prefix = name_prefix(found)
    arrays = {path.removeprefix(prefix): a for path, a in found.items() if a.is_float}
    return (
        arrays
        if any(path.startswith(("cell_", "reduction_cell_", "layer_0/")) for path in arrays)
        else {}
    )


def _paths_in_file(model: keras.Model) -> dict[str, str]:
    """Returns the paths of a network's variables by what a `.weights.h5` file calls them."""
    template = keras.models.clone_model(model)
    variables = network_variables(template)
    for number, variable in enumerate(variables.values()):
        # A half more, so that no step or seed can be taken for one.
        variable.assign(np.full(variable.shape, number + 0.5))
    numbered = {number + 0.5: path for number, path in enumerate(variables)}
    with scratch(), tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "numbered.weights.h5")
        template.save_weights(file)
        with open_h5(file) as arrays:
            held = {name: float(np.ravel(array.read())[0]) for name, array in arrays.items()}
    return {name: numbered[number] for name, number in held.items() if number in numbered}


def _load_by_path(
    model: keras.Model,
    arrays: Mapping[str, StoredArray],
    source: str,
    exclude_scopes: Sequence[str],
    ignore_missing_vars: bool,
    skipped: Sequence[str] = (),
    averages: Mapping[str, np.ndarray] | None = None,
) -> LoadReport:
    variables = network_variables(model)
    # A file does not name the scope of an auxiliary head that the model does not have.
    unnamed = [scope for scope in exclude_scopes if skipped and is_auxiliary(scope)]
    check_scopes(exclude_scopes, [*variables, *arrays, *unnamed])
    has_auxiliary = any(is_auxiliary(name) for name in variables)
    wanted = {n: v for n, v in variables.items() if not in_scopes(n, exclude_scopes)}
    kept = [name for name in variables if name not in wanted]
    given = {
        name: array
        for name, array in arrays.items()
        if not in_scopes(name, exclude_scopes) and (has_auxiliary or not is_auxiliary(name))
    }
    missing = []
    if ignore_missing_vars:
        missing = set_missing_aside(wanted, given, source, model.name)
    parameters = assign_strictly(
        wanted, given, source, model.name, lambda name: name.split("/", 1)[0]
    )
    return LoadReport(
        source=source,
        assigned=tuple(wanted),
        parameters=parameters,
        kept=tuple(kept),
        missing=tuple(missing),
        skipped=(*(name for name in arrays if name not in given), *skipped),
        averaged=sum(name in (averages or {}) for name in wanted),
    )
