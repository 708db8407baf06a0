"""Weights that this package itself saved: `.keras` and `.weights.h5` files."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence

import keras

from nasnet_keras.weights.assign import (
    LoadReport,
    StoredArray,
    assign_strictly,
    check_fit,
    check_scopes,
    first_line,
)
from nasnet_keras.weights.h5_file import open_h5
from nasnet_keras.weights.slim_names import in_scopes, is_auxiliary, network_variables

_GROUP = "layers/"
_OPTIONAL_GROUPS = (
    "layers/auxiliary_head/",
    "layers/classifier_head/",
    "layers/drop_path_schedule/",
)


def load_keras_model(path: str | os.PathLike[str]) -> keras.Model:
    """Loads a `.keras` file with Keras's safe mode on, without its optimizer.

    Args:
        path: The file.

    Returns:
        The model.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no `.keras` file, is damaged, or holds code.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"no such file: {path}")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    # Whatever is wrong with such a file (zip, JSON, HDF5, a class unknown), Keras's own way of
    # saying so differs from version to version.
    except Exception as error:
        reason = first_line(error)
        raise ValueError(f"{path} is not a readable .keras file: {reason}") from error


def load_keras_file(
    model: keras.Model, path: str | os.PathLike[str], exclude_scopes: Sequence[str] = ()
) -> LoadReport:
    """Sets a network's variables from a `.keras` file of this package, by path.

    Drop path's step is left as it is in the model. An auxiliary head that the model does not have
    is skipped.

    Args:
        model: A network of this package.
        path: The file.
        exclude_scopes: Scopes that stay as they are in the model, as in `load_slim_checkpoint`.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or does not fit the model; nothing has changed.
    """
    saved = network_variables(load_keras_model(path))
    variables = network_variables(model)
    check_scopes(exclude_scopes, [*variables, *saved])
    has_auxiliary = any(is_auxiliary(name) for name in variables)
    wanted = {n: v for n, v in variables.items() if not in_scopes(n, exclude_scopes)}
    given = {
        name: StoredArray(tuple(v.shape), lambda v=v: keras.ops.convert_to_numpy(v))
        for name, v in saved.items()
        if not in_scopes(name, exclude_scopes) and (has_auxiliary or not is_auxiliary(name))
    }
    source = os.fspath(path)
    parameters = assign_strictly(
        wanted, given, source, model.name, lambda name: name.split("/", 1)[0]
    )
    return LoadReport(
        source=source,
        assigned=tuple(wanted),
        parameters=parameters,
        kept=tuple(name for name in variables if name not in wanted),
        skipped=tuple(name for name in saved if name not in given),
    )


def is_own_weights_file(path: str | os.PathLike[str]) -> bool:
    """Returns whether a `.weights.h5` file is of a network of this package.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no HDF5 file, or is damaged.
    """
    with open_h5(path) as arrays:
        return any(name.startswith(f"{_GROUP}cell/") for name in arrays)


def load_own_weights_file(model: keras.Model, path: str | os.PathLike[str]) -> LoadReport:
    """Sets a network's variables from a `.weights.h5` file of this package.

    Keras itself would set what comes before the first mismatch, and pass over what is left over in
    the file. So the file is first compared with one saved from the model, from which the model is
    restored should the reading fail.

    Args:
        model: A network of this package.
        path: The file. A classifier or auxiliary head that the model does not have is skipped.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or does not fit the model; nothing has changed.
    """
    source = os.fspath(path)
    with tempfile.TemporaryDirectory() as folder:
        backup = os.path.join(folder, "before.weights.h5")
        model.save_weights(backup)
        with open_h5(backup) as arrays:
            own = {name: array for name, array in arrays.items() if name.startswith(_GROUP)}
        with open_h5(source) as arrays:
            given = {name: array for name, array in arrays.items() if name.startswith(_GROUP)}
        skipped = [n for n in given if n not in own and n.startswith(_OPTIONAL_GROUPS)]
        for name in skipped:
            del given[name]
        check_fit(own, given, source, model.name, lambda name: name.split("/")[1])
        try:
            model.load_weights(source)
        except Exception as error:
            model.load_weights(backup)
            reason = first_line(error)
            raise ValueError(f"{source} is damaged: {reason}") from error
    assigned = network_variables(model)
    return LoadReport(
        source=source,
        assigned=tuple(assigned),
        parameters=sum(math.prod(variable.shape) for variable in assigned.values()),
        skipped=tuple(skipped),
    )
