"""What a network is made from, whatever its kind, and its JSON file."""

from __future__ import annotations

import abc
import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.text.suggestions import unknown_name

_Kind = TypeVar("_Kind", bound="NetworkGenotype")

_VERSION = 1
# What a file is that does not say so: cells, which are also written by hand.
_DEFAULT_FORMAT = "nasnet_keras.genotype"


class NetworkGenotype(abc.ABC):
    """Base of the kinds of genotypes: cells (`Genotype`) or layers (`LayerwiseGenotype`).

    A kind is a frozen dataclass. Its `from_json` and `load` read files of that kind; those of this
    class read any kind.

    Attributes:
        name: A short name, used in messages and files.
        json_format: What the files of a kind say they are.
        json_keys: The keys of a kind's JSON beside its name.

    Raises:
        ValueError: The name is empty or has a slash.
    """

    json_format: ClassVar[str] = ""
    json_keys: ClassVar[tuple[str, ...]] = ()
    _kinds: ClassVar[dict[str, type[NetworkGenotype]]] = {}

    name: str

    def __init_subclass__(cls) -> None:
        NetworkGenotype._kinds[cls.json_format] = cls

    def __post_init__(self) -> None:
        _check_name(self.name)

    @abc.abstractmethod
    def _parts(self) -> dict[str, Any]:
        """Returns what `json_keys` names, JSON-ready."""

    @classmethod
    @abc.abstractmethod
    def _from_parts(cls, name: str, data: Mapping[str, Any]) -> NetworkGenotype:
        """Reads what `_parts` returned.

        Raises:
            ValueError: It is malformed.
        """

    def to_dict(self) -> dict[str, Any]:
        """Returns the genotype as JSON-ready data."""
        header = {"format": self.json_format, "version": _VERSION, "name": self.name}
        return {**header, **self._parts()}

    @classmethod
    def from_dict(cls: type[_Kind], data: Mapping[str, Any]) -> _Kind:
        """Reads what `to_dict` wrote.

        Raises:
            ValueError: The data are not a genotype of this kind; the message names the place.
        """
        if not isinstance(data, Mapping):
            raise ValueError(f"a genotype is a JSON object, got {type(data).__name__}")
        found = data.get("format", cls.json_format or _DEFAULT_FORMAT)
        version = data.get("version", _VERSION)
        kinds = (cls.json_format,) if cls.json_format else tuple(cls._kinds)
        if found not in kinds or version != _VERSION:
            raise ValueError(
                f"expected format {' or '.join(map(repr, kinds))} version {_VERSION}, got "
                f"{found!r} version {version!r}"
            )
        kind = cls._kinds[found]
        known = ("format", "version", "name", *kind.json_keys)
        for key in data:
            if key not in known:
                raise ValueError(unknown_name("genotype key", key, known))
        name = data.get("name", "custom")
        _check_name(name)
        return kind._from_parts(name, data)  # type: ignore[return-value]

    def to_json(self) -> str:
        """Returns the genotype as JSON text; `from_json` gives an equal genotype back."""
        return json.dumps(self.to_dict(), indent=2) + "\n"

    @classmethod
    def from_json(cls: type[_Kind], text: str | bytes) -> _Kind:
        """Reads JSON text; bytes in any of Unicode's encodings, with a byte order mark or without.

        Raises:
            ValueError: The text is not JSON, or not a genotype.
        """
        try:
            data = parse_json(text)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}") from None
        return cls.from_dict(data)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a JSON file, complete or not at all."""
        with atomic_write(path) as temporary:
            temporary.write_text(self.to_json(), encoding="utf-8")

    @classmethod
    def load(cls: type[_Kind], path: str | os.PathLike[str]) -> _Kind:
        """Reads a JSON file.

        Raises:
            OSError: The file cannot be read.
            ValueError: It holds no genotype; the message names the file.
        """
        try:
            return cls.from_json(read_file(path))
        except ValueError as error:
            raise ValueError(f"{os.fspath(path)}: {error}") from None

    def renamed(self: _Kind, name: str) -> _Kind:
        """Returns the same genotype under another name."""
        return dataclasses.replace(self, name=name)  # type: ignore[type-var]


def _check_name(name: Any) -> None:
    # It names layers and models, in whose paths a slash separates.
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"a genotype's name is a non-empty string with no '/', got {name!r}")
