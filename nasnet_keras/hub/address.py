"""Names of repositories on the Hub, and Keras's addresses of them."""

from __future__ import annotations

import os
import re

from nasnet_keras.text.plain_text import shown

PREFIX = "hf://"
# `Path("hf://owner/name")` has lost a stroke.
_ADDRESS = re.compile("hf://?")
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,94}[A-Za-z0-9])?"
_REPOSITORY = re.compile(f"{_WORD}/{_WORD}")


def is_hub_address(path: object) -> bool:
    """Returns whether a network on the Hub is meant, and no file."""
    return isinstance(path, str | os.PathLike) and bool(_ADDRESS.match(str(path)))


def repository_of(name: str) -> str:
    """Returns the repository that an address or a name means.

    Args:
        name: `"hf://owner/name"` or `"owner/name"`.

    Raises:
        ValueError: It is neither.
    """
    repository = _ADDRESS.sub("", name, count=1) if isinstance(name, str) else ""
    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(
            f"a repository on the Hugging Face Hub is 'owner/name', in letters, digits, '.', '_' "
            f"and '-'; got {shown(name)}"
        )
    return repository
