"""Text files that list one thing a line, as people's editors and tools write them."""

from __future__ import annotations

import codecs
import os

from nasnet_keras.files.input_files import read_file

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read_list_file(path: str | os.PathLike[str]) -> dict[int, str]:
    """Reads the lines of a list, without what is invisible in an editor.

    Byte order marks, blanks around a line, Windows' line ends and empty lines are left out; blanks
    within a line stay, as they may be part of a name.

    Args:
        path: A text file in UTF-8, or in UTF-16 with a byte order mark.

    Returns:
        The lines by their number in the file, from 1.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not text.
    """
    content = read_file(path)
    mark = next((each for each in _MARKS if content.startswith(each)), b"")
    try:
        text = content[len(mark) :].decode(_MARKS.get(mark, "utf-8"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{os.fspath(path)}, line {line}: not text in UTF-8") from None
    # Not `splitlines`, for which some characters of names end a line.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # Files that were joined have marks in their midst.
    stripped = ((n, line.replace("\ufeff", "").strip()) for n, line in enumerate(lines, 1))
    return {number: line for number, line in stripped if line}
