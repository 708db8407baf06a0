"""The naming rule between a network's variables and a slim checkpoint.

A variable's path is slim's scope already; only the last word differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras

_SLIM_WORDS = {
    "kernel": "weights",
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
}
_KERAS_WORDS = {slim: word for word, slim in _SLIM_WORDS.items()}
_SAME_WORDS = ("gamma", "beta", "moving_mean", "moving_variance")

VARIABLE_WORDS = frozenset([*_SLIM_WORDS.values(), *_SAME_WORDS])
"""The last words of slim's names of a network's variables."""

STATISTICS = frozenset(["moving_mean", "moving_variance"])
"""The last words of what batch normalization counts rather than learns."""

CLASSIFIER_SCOPE = "final_layer"
# Every network has one of them.
_STEMS = ("l1_stem_bn", "conv0_bn")
# Or, of a layer-wise one.
_FIRST_LAYER = "layer_0"


def slim_name(path: str) -> str:
    """Returns the name in a slim checkpoint of a variable's path.

    Args:
        path: E.g. `"cell_0/1x1/kernel"`.

    Returns:
        E.g. `"cell_0/1x1/weights"`.
    """
    scope, _, word = path.rpartition("/")
    word = _SLIM_WORDS.get(word, word)
    return f"{scope}/{word}" if scope else word


def variable_path(name: str) -> str:
    """Returns the path of a variable's name in a slim checkpoint: the inverse of `slim_name`."""
    scope, _, word = name.rpartition("/")
    word = _KERAS_WORDS.get(word, word)
    return f"{scope}/{word}" if scope else word


def name_prefix(names: Iterable[str]) -> str:
    """Returns what `build_network` put before slim's names, `""` where that is nothing.

    Args:
        names: Names of a network's layers, or paths of its variables or below them.
    """
    tops = {name.split("/", 1)[0] for name in names}
    found: set[str] = set()
    for stems in (_STEMS, (_FIRST_LAYER,)):
        found = found or {
            top.removesuffix(stem) for stem in stems for top in tops if top.endswith(stem)
        }
    return found.pop() if len(found) == 1 else ""


def network_variables(model: keras.Model) -> dict[str, Any]:
    """Returns the variables that slim has too, by path, without a prefix of `build_network`.

    Counters (drop path's step) and the states of random generators are whole numbers and are left
    out; a network's own variables are floats.

    Args:
        model: A network of this package.

    Returns:
        `{"cell_0/1x1/kernel": variable, ...}` in the order of the model.

    Raises:
        ValueError: Two variables have one path, as when two networks are in one model.
    """
    found: dict[str, Any] = {}
    prefix = name_prefix(variable.path for variable in model.weights)
    for variable in model.weights:
        if "int" in keras.backend.standardize_dtype(variable.dtype):
            continue
        if variable.path in found:
            raise ValueError(
                f"model {model.name!r} has two variables named {variable.path!r}; load each "
                "network before putting them into one model"
            )
        found[variable.path.removeprefix(prefix)] = variable
    return found


def in_scopes(name: str, scopes: Iterable[str]) -> bool:
    """Returns whether a name lies in one of the scopes; whole path segments are compared."""
    return any(name == scope or name.startswith(f"{scope}/") for scope in scopes)


def is_head(scope: str) -> bool:
    """Returns whether a top scope is a classifier: the final one or an auxiliary head."""
    return scope == CLASSIFIER_SCOPE or is_auxiliary(scope)


def is_auxiliary(name: str) -> bool:
    """Returns whether a name or scope belongs to an auxiliary head, slim's `aux_<cell>`."""
    scope = name.split("/", 1)[0]
    return scope.startswith("aux_") and scope[4:].isdigit()
