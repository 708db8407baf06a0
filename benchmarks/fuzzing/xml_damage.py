"""Annotations in XML in which something is not what it should be."""

from __future__ import annotations

import random
import re

from .values import NUMBERS, TEXTS

_LAUGHS = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {new} "{f"&{old};" * 10}">'
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)


def damage_xml(text: str, source: random.Random) -> tuple[str, str]:
    """Returns a damaged document, and what was done."""
    tags = list(re.finditer(r"<(\w+)>([^<]*)</\1>", text))
    tag = source.choice(tags)
    how = source.choice(
        ("a value", "a tag gone", "a tag twice", "deep", "entities", "file", "encoding", "unclosed")
    )
    if how == "a value":
        value = source.choice(source.choice((NUMBERS, TEXTS)))
        if source.random() < 0.5:
            value = value.replace("&", "&amp;").replace("<", "&lt;")
        new = f"<{tag[1]}>{value}</{tag[1]}>"
        return text[: tag.start()] + new + text[tag.end() :], f"{tag[1]} is {value[:30]!r}"
    if how == "a tag gone":
        return text.replace(tag[0], "", 1), f"{tag[1]} gone"
    if how == "a tag twice":
        return text.replace(tag[0], tag[0] * 2, 1), f"{tag[1]} twice"
    if how == "deep":
        return text.replace(tag[0], "<a>" * 50_000 + "</a>" * 50_000, 1), "50,000 tags deep"
    if how == "entities":
        return _LAUGHS + text.replace(tag[2] or tag[0], "&i;", 1), "entities of entities"
    if how == "file":
        doctype = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
        return doctype + text.replace(tag[2] or tag[0], "&x;", 1), "an entity that is a file"
    if how == "encoding":
        name = source.choice(("nonsense", "utf-16", "cp1252", "idna", "hex", "", "a" * 5_000))
        return f'<?xml version="1.0" encoding="{name}"?>' + text, f"encoding {name[:20]!r}"
    return text[: tag.start()] + f"<{tag[1]}>" + text[tag.end() :], f"{tag[1]} not closed"
