"""What happens to the bytes of a file on its way."""

from __future__ import annotations

import random
from collections.abc import Callable

_Damage = Callable[[bytes, random.Random], bytes]


def damage_bytes(content: bytes, source: random.Random) -> tuple[bytes, str]:
    """Returns damaged bytes, and what was done."""
    how = source.choice(list(_DAMAGES))
    return _DAMAGES[how](content, source), how


def _place(content: bytes, source: random.Random) -> int:
    # Headers decide the most.
    end = min(len(content), 64) if source.random() < 0.4 else len(content)
    return source.randrange(end + 1)


def _flip(content: bytes, source: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(source.choice((1, 1, 3, 20))):
        if changed:
            changed[_place(content, source) % len(changed)] ^= 1 << source.randrange(8)
    return bytes(changed)


def _overwrite(content: bytes, source: random.Random, by: bytes | None = None) -> bytes:
    size = source.choice((1, 4, 8, 100))
    start = _place(content, source)
    new = source.randbytes(size) if by is None else by * size
    return content[:start] + new + content[start + size :]


def _insert(content: bytes, source: random.Random, what: bytes) -> bytes:
    start = _place(content, source)
    return content[:start] + what + content[start:]


def _cut_out(content: bytes, source: random.Random) -> bytes:
    start = _place(content, source)
    return content[:start] + content[start + source.choice((1, 2, 16, 1000)) :]


def _twice(content: bytes, source: random.Random) -> bytes:
    start = _place(content, source)
    return content[:start] + content[start : start + 200] * 2 + content[start + 200 :]


_DAMAGES: dict[str, _Damage] = {
    "cut off": lambda content, source: content[: _place(content, source)],
    "cut off at the end": lambda content, source: content[: -source.choice((1, 2, 8, 100))],
    "bits flipped": _flip,
    "bytes overwritten": _overwrite,
    "zeros written over": lambda content, source: _overwrite(content, source, b"\0"),
    "ones written over": lambda content, source: _overwrite(content, source, b"\xff"),
    "bytes that are no UTF-8 inserted": lambda c, source: _insert(c, source, b"\xff\xfe\xe9"),
    "zero bytes inserted": lambda content, source: _insert(content, source, b"\0" * 3),
    "control characters inserted": lambda content, source: _insert(content, source, b"\x1b[2J\x07"),
    "a part cut out": _cut_out,
    "a part twice": _twice,
    "written behind": lambda content, source: content + source.randbytes(50),
    "twice": lambda content, source: content + content,
    "a byte order mark in front": lambda content, source: b"\xef\xbb\xbf" + content,
    "in UTF-16": lambda c, source: c.decode("utf-8", "replace").encode("utf-16"),
    "with Windows' line ends": lambda content, source: content.replace(b"\n", b"\r\n"),
    "random bytes": lambda content, source: source.randbytes(300),
    "zeros only": lambda content, source: bytes(len(content)),
    "a picture": lambda content, source: (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"
    ),
    "a web page": lambda content, source: b"<!DOCTYPE html><html><body>404</body></html>\n",
    "a pointer of Git LFS": lambda c, s: (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    ),
}
