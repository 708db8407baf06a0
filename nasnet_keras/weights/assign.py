"""Strict loading: everything is compared and read before the first variable changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE, in_scopes, is_auxiliary, is_head
from nasnet_keras.weights.values import LISTED, as_weight, check_finite


@dataclass(frozen=True)
class StoredArray:
    """An array in a file, read when asked for.

    Attributes:
        shape: Its shape, known without reading.
        read: Returns it.
        is_float: Whether it may be a weight of a network, and no counter.
    """

    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]
    is_float: bool = True


@dataclass(frozen=True)
class LoadReport:
    """What a loader did.

    Attributes:
        source: The file or model that was read.
        assigned: Paths of the variables that were set.
        parameters: Numbers in them.
        kept: Paths of the variables left as they were, because of `exclude_scopes`.
        missing: Paths of those left as they were because the source does not have them, with
            `ignore_missing_vars`.
        skipped: Names in the source that were left out: excluded scopes, and an auxiliary head
            that the model does not have.
        ignored: Names in the source that are no part of a network: the global step, optimizer
            slots, moving averages not asked for.
        averaged: How many variables were set from their moving average.
    """

    source: str
    assigned: tuple[str, ...]
    parameters: int
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    averaged: int = 0


class MisfitError(ValueError):
    """A source does not fit a model.

    Attributes:
        heads: The classifiers' scopes, if nothing else is concerned: without them it fits.
    """

    def __init__(self, message: str, heads: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.heads = tuple(heads)


def check_scopes(exclude_scopes: Sequence[str], names: Sequence[str]) -> None:
    """Refuses a scope that is nowhere: a mistyped one would load what was to be left alone.

    `final_layer` is a scope of every network, also where neither side has its classifier.

    Args:
        exclude_scopes: The scopes.
        names: Every name in the model and in the source.

    Raises:
        ValueError: A scope holds none of the names, or a string was given for a list.
    """
    check_list("exclude_scopes", exclude_scopes)
    for scope in exclude_scopes:
        if scope != CLASSIFIER_SCOPE and not any(in_scopes(name, [scope]) for name in names):
            tops = sorted({name.split("/", 1)[0] for name in names})
            raise ValueError(unknown_name("scope in exclude_scopes", scope, tops))


def check_list(argument: str, scopes: Sequence[str]) -> None:
    """Refuses a string, whose letters would be taken for scopes.

    Raises:
        ValueError: `scopes` is a string.
    """
    if isinstance(scopes, str):
        raise ValueError(f"{argument} is a list of scopes, got {scopes!r}")


def set_missing_aside(
    variables: dict[str, Any], arrays: Mapping[str, StoredArray], source: str, model_name: str
) -> list[str]:
    """Takes the variables that a source does not have out of those to be set.

    Args:
        variables: The model's variables by their name in the source; changed in place.
        arrays: The source's arrays by name.
        source: How to call the source in an error.
        model_name: Name of the model.

    Returns:
        The names taken out.

    Raises:
        MisfitError: The source has none of them.
    """
    missing = [name for name in variables if name not in arrays]
    if variables and len(missing) == len(variables):
        raise MisfitError(f"{source} has no variable of model {model_name!r}")
    for name in missing:
        del variables[name]
    return missing


def assign_strictly(
    variables: Mapping[str, Any],
    arrays: Mapping[str, StoredArray],
    source: str,
    model_name: str,
    scope_of: Callable[[str], str],
    advice: Sequence[str] = (),
) -> int:
    """Sets every variable from the array of its name, or changes nothing.

    Args:
        variables: The model's variables by their name in the source.
        arrays: The source's arrays by name.
        source: How to call the source in an error.
        model_name: Name of the model.
        scope_of: Returns the top scope in the model of a name.
        advice: What else to say if they do not fit.

    Returns:
        How many numbers were set.

    Raises:
        MisfitError: They do not fit, see `check_fit`.
        ValueError: The source is damaged, or holds what is no finite number.
    """
    check_fit(variables, arrays, source, model_name, scope_of, advice)
    # Read everything first: a file may turn out to be cut short at its last array.
    values = {
        name: as_weight(name, arrays[name].read(), variable, source)
        for name, variable in variables.items()
    }
    check_finite(source, values.items())
    for name, variable in variables.items():
        variable.assign(values[name])
    return sum(math.prod(variable.shape) for variable in variables.values())


def check_fit(
    wanted: Mapping[str, Any],
    arrays: Mapping[str, StoredArray],
    source: str,
    model_name: str,
    scope_of: Callable[[str], str],
    advice: Sequence[str] = (),
) -> None:
    """Compares the names and shapes in a source with those that a model has.

    Args:
        wanted: What the model has by name; only `shape` is read.
        arrays: What the source has.
        source: How to call the source in an error.
        model_name: Name of the model.
        scope_of: Returns the top scope in the model of a name.
        advice: What else to say if they do not fit.

    Raises:
        MisfitError: A name is missing or left over, or a shape is another. One line with the
            number of each kind and the first ten, and what to do if only classifiers are concerned.
    """
    missing = [name for name in wanted if name not in arrays]
    left_over = [name for name in arrays if name not in wanted]
    misshapen = [
        name
        for name in wanted
        if name in arrays and tuple(arrays[name].shape) != tuple(wanted[name].shape)
    ]
    if not (missing or left_over or misshapen):
        return
    shapes = [
        f"{name} {tuple(arrays[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in misshapen
    ]
    parts = [
        _listed(kind, names)
        for kind, names in (
            ("missing in it", missing),
            ("left over in it", left_over),
            ("of another shape", shapes),
        )
        if names
    ]
    scopes = sorted({scope_of(name) for name in (*missing, *left_over, *misshapen)})
    heads = scopes if all(is_head(scope) for scope in scopes) else []
    if heads:
        counts = {
            (int(arrays[name].shape[-1]), int(wanted[name].shape[-1]))
            for name in misshapen
            if tuple(arrays[name].shape[:-1]) == tuple(wanted[name].shape[:-1])
        }
        parts.extend(f"it has {theirs} classes and the model {ours}" for theirs, ours in counts)
        if any(is_auxiliary(scope_of(name)) and len(wanted[name].shape) == 4 for name in misshapen):
            parts.append("the kernel of an auxiliary head fits one input size only")
        parts.append(
            f"to leave these as they are in the model, give its loader (nk.load_pretrained for any "
            f"file) exclude_scopes={scopes!r}"
        )
    parts.extend(advice)
    raise MisfitError(f"{source} does not fit model {model_name!r}: {'; '.join(parts)}", heads)


def first_line(error: BaseException) -> str:
    """Returns what a library's error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _listed(kind: str, names: Sequence[str]) -> str:
    more = f", ... (first {LISTED})" if len(names) > LISTED else ""
    return f"{len(names)} {kind}: {', '.join(names[:LISTED])}{more}"
