"""What may become a weight: real, finite numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

LISTED = 10
"""How many names of each kind an error lists."""


def is_number(dtype: Any) -> bool:
    """Returns whether a NumPy dtype holds real numbers; complex ones and truth values are none."""
    dtype = np.dtype(dtype)
    return dtype.kind in "fiu" or dtype.name == "bfloat16"


def as_weight(name: str, value: Any, variable: Any, source: str) -> np.ndarray:
    """Returns a value as the variable that it is for holds it.

    Args:
        name: What an error calls it.
        value: An array.
        variable: Only its `dtype` is read.
        source: Where it is from, in an error.

    Raises:
        ValueError: It does not consist of real numbers.
    """
    array = np.asarray(value)
    if not is_number(array.dtype):
        raise ValueError(f"{source} holds {array.dtype} at {name!r}, which is no weight")
    # Too large a number becomes infinite, which `check_finite` finds.
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(keras.backend.standardize_dtype(variable.dtype), copy=False)


def check_finite(source: str, values: Iterable[tuple[str, Any]]) -> None:
    """Refuses NaN and infinity, with which a network gives no answers.

    Args:
        source: Where the values are from, in an error.
        values: Names and arrays or variables; those of whole numbers are passed over.

    Raises:
        ValueError: A value is not finite: one line with the names and how many in each.
    """
    found = []
    for name, value in values:
        if "float" not in keras.backend.standardize_dtype(value.dtype):
            continue
        array = keras.ops.convert_to_numpy(value)
        wrong = array.size - int(np.count_nonzero(np.isfinite(array)))
        if wrong:
            found.append(f"{name} ({wrong:,} of {array.size:,})")
    if found:
        more = f", ... (first {LISTED} of {len(found)})" if len(found) > LISTED else ""
        raise ValueError(
            f"{source} has weights that are not finite (NaN or infinite): "
            f"{', '.join(found[:LISTED])}{more}"
        )


def model_values(model: keras.Model) -> list[tuple[str, Any]]:
    """Returns the variables of a network and of its optimizer, if it has one, with their paths."""
    optimizer: Any = getattr(model, "optimizer", None)
    variables = [*model.variables, *(optimizer.variables if optimizer is not None else ())]
    return [(variable.path, variable) for variable in variables]
