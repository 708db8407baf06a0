"""How a program reports errors: one line, and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

USAGE_ERROR = 2
INTERRUPTED = 130


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turns errors within the block into one line on standard error and an exit code.

    A `ValueError` or an `OSError` has exit code 2, an interrupt 130. Anything else is a bug and
    keeps its traceback.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def one_line(error: BaseException) -> str:
    """Returns an error's message, without line breaks."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__
