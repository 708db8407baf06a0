"""TFRecord files and the examples in them, read with the standard library alone.

tf.data checks what it reads; this is for where TensorFlow is not installed, and for counting
records, which the format does not store.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

from nasnet_keras.files.input_files import check_file

# A record: its length, 8 bytes; a checksum of the length, 4; the bytes; a checksum of the bytes, 4.
_HEADER, _FOOTER = 12, 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_BYTES_LIST, _FLOAT_LIST, _INT64_LIST = 1, 2, 3


def count_records(path: str | os.PathLike[str]) -> int:
    """Counts the records of a file by their headers, a cut-off last one included.

    Raises:
        OSError: The file cannot be read.
    """
    return sum(1 for _ in record_places(path))


def record_places(path: str | os.PathLike[str]) -> Iterator[tuple[int, int]]:
    """Yields the first byte of each record of a file and its length, by their headers.

    A cut-off last one is among them; its length is 0 where its header is cut off.

    Raises:
        OSError: The file cannot be read.
    """
    check_file(path)
    size = os.path.getsize(path)
    position = 0
    with Path(path).open("rb", buffering=0) as file:
        while position < size:
            file.seek(position)
            header = file.read(_HEADER)
            is_cut = len(header) < _HEADER
            length = 0 if is_cut else struct.unpack_from("<Q", header)[0]
            yield position + _HEADER, length
            position += _HEADER + length + _FOOTER


def read_records(path: str | os.PathLike[str]) -> Iterator[tuple[int, bytes]]:
    """Yields the position of each record of a file and its bytes. Checksums are not checked.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file ends within a record.
    """
    check_file(path)
    index = position = 0
    with Path(path).open("rb") as file:
        while header := file.read(_HEADER):
            length = struct.unpack_from("<Q", header)[0] if len(header) == _HEADER else 0
            # A damaged length may be any number: ask for no more memory than the file is long.
            rest = file.read(min(length + _FOOTER, os.path.getsize(path)))
            if len(header) < _HEADER or len(rest) < length + _FOOTER:
                raise ValueError(f"{os.fspath(path)} ends within record {index}")
            yield position + _HEADER, rest[:length]
            position += _HEADER + length + _FOOTER
            index += 1


def parse_example(record: bytes) -> dict[str, list[bytes] | list[int] | list[float]]:
    """Reads a serialized `tf.train.Example`.

    Args:
        record: The bytes.

    Returns:
        The values of each feature.

    Raises:
        ValueError: The bytes are not a `tf.train.Example`.
    """
    result: dict[str, list[bytes] | list[int] | list[float]] = {}
    try:
        for _, features in _fields(record):
            for _, entry in _fields(_as_bytes(features)):
                pair = dict(_fields(_as_bytes(entry)))
                for kind, values in _fields(_as_bytes(pair[2])):
                    name = _as_bytes(pair[1]).decode()
                    items = [value for _, value in _fields(_as_bytes(values))]
                    if kind == _BYTES_LIST:
                        result[name] = [_as_bytes(item) for item in items]
                    elif kind == _FLOAT_LIST:
                        packed = b"".join(_as_bytes(item) for item in items)
                        result[name] = list(struct.unpack(f"<{len(packed) // 4}f", packed))
                    elif kind == _INT64_LIST:
                        result[name] = [value for item in items for value in _integers(item)]
    except (IndexError, KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise ValueError("this is not a tf.train.Example") from error
    return result


def _as_bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise TypeError("an integer where a message should be")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Reads a protocol buffer: for each field its tag and its value."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        tag, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield tag, value
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise IndexError(kind)
        if position + length > len(message):
            raise IndexError(position)
        yield tag, message[position : position + length]
        position += length


def _integers(item: bytes | int) -> list[int]:
    """Reads an int64 or a packed list of them."""
    if isinstance(item, int):
        return [_signed(item)]
    result, position = [], 0
    while position < len(item):
        value, position = _varint(item, position)
        result.append(_signed(value))
    return result


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = message[position]
        position += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, position
        shift += 7
