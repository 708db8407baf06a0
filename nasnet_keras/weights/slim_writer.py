"""TF-Slim checkpoints, written from a network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from nasnet_keras.weights.assign import first_line
from nasnet_keras.weights.slim_checkpoint import AVERAGE
from nasnet_keras.weights.slim_names import network_variables, slim_name
from nasnet_keras.weights.tensorflow_files import DATA_SUFFIX, import_tensorflow


def save_slim_checkpoint(
    model: keras.Model,
    prefix: str | os.PathLike[str],
    global_step: int | None = None,
    moving_averages: Mapping[str, Any] | None = None,
) -> str:
    """Writes a network's variables as a TF-Slim checkpoint, which slim's own programs restore.

    The files are written under another name and renamed, so that the prefix never holds half a
    checkpoint.

    Args:
        model: A network of this package.
        prefix: Where to write: `<prefix>.index` and `<prefix>.data-00000-of-00001`.
        global_step: Written as `global_step` if given.
        moving_averages: Moving averages by variable path (`"cell_0/1x1/kernel"`), written as
            `<name>/ExponentialMovingAverage`.

    Returns:
        The prefix.

    Raises:
        ValueError: A moving average is of no variable or has another shape.
        OSError: The files cannot be written.
        ImportError: TensorFlow is not installed.
    """
    paths = network_variables(model)
    values = {
        slim_name(path): keras.ops.convert_to_numpy(variable) for path, variable in paths.items()
    }
    for path, average in (moving_averages or {}).items():
        if path not in paths:
            raise ValueError(f"a moving average of {path!r}, which model {model.name!r} has not")
        average = np.asarray(average, dtype=np.float32)
        if average.shape != tuple(paths[path].shape):
            raise ValueError(
                f"the moving average of {path!r} has shape {average.shape} instead of "
                f"{tuple(paths[path].shape)}"
            )
        values[slim_name(path) + AVERAGE] = average
    if global_step is not None:
        values["global_step"] = np.asarray(global_step, dtype=np.int64)
    return write_checkpoint(values, prefix)


def write_checkpoint(values: Mapping[str, np.ndarray], prefix: str | os.PathLike[str]) -> str:
    """Writes arrays as a checkpoint of TensorFlow 1, there complete or not at all.

    Args:
        values: The arrays by name.
        prefix: Where to write, see `save_slim_checkpoint`.

    Returns:
        The prefix.

    Raises:
        OSError: The files cannot be written.
        ImportError: TensorFlow is not installed.
    """
    tf = import_tensorflow()
    folder, name = os.path.split(os.path.abspath(prefix))
    os.makedirs(folder, exist_ok=True)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    names = sorted(values)
    try:
        try:
            tf.raw_ops.SaveV2(
                prefix=temporary,
                tensor_names=names,
                shape_and_slices=[""] * len(names),
                tensors=[tf.constant(values[name]) for name in names],
            )
        except tf.errors.OpError as error:
            raise OSError(f"cannot write {os.fspath(prefix)}: {first_line(error)}") from error
        # The index comes last: a reader looks for it first.
        for suffix in (DATA_SUFFIX, ".index"):
            os.replace(temporary + suffix, os.path.join(folder, name) + suffix)
    finally:
        for suffix in (DATA_SUFFIX, ".index"):
            if os.path.exists(temporary + suffix):
                os.remove(temporary + suffix)
    return os.fspath(prefix)
