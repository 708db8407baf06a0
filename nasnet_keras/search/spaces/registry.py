"""Spaces by name."""

from __future__ import annotations

import inspect
from typing import Any

from nasnet_keras.search.spaces.layerwise_space import LayerwiseSpace
from nasnet_keras.search.spaces.nasnet_space import NASNetSpace
from nasnet_keras.search.spaces.pnas_space import PNASSpace
from nasnet_keras.search.spaces.space import Space
from nasnet_keras.text.suggestions import unknown_name

_SPACES: dict[str, type[Space]] = {
    "nasnet": NASNetSpace,
    "pnas": PNASSpace,
    "layerwise": LayerwiseSpace,
}


def list_spaces() -> list[str]:
    """Returns the names of the spaces."""
    return sorted(_SPACES)


def get_space(name: str, **options: Any) -> Space:
    """Returns a space by name.

    Args:
        name: A name of `list_spaces()`.
        **options: Arguments of the space, e.g. `num_blocks=3`.

    Raises:
        ValueError: The name or an option is unknown, or an option's value is out of range.
    """
    if name not in _SPACES:
        raise ValueError(unknown_name("space", name, list_spaces()))
    allowed = list(inspect.signature(_SPACES[name]).parameters)
    for option in options:
        if option not in allowed:
            raise ValueError(unknown_name(f"option of space {name!r}", option, allowed))
    return _SPACES[name](**options)
