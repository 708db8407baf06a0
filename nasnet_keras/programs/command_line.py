"""What every program shares: flags in, one line for what is wrong, an exit code out."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from absl import app, flags, logging

from nasnet_keras.suggestions import unknown_name

USAGE_ERROR = 2
INTERRUPTED = 130


def run(main: Callable[[list[str]], int | None], arguments: str = "") -> NoReturn:
    """Parses the flags, runs a program and exits.

    A `ValueError`, an `OSError` or a flag that is wrong ends the program with one line on standard
    error and exit code 2; the traceback is shown with `--verbosity=1`. An interrupt ends it with
    exit code 130. Anything else is a defect of the program and keeps its traceback.

    Args:
        main: The program; receives the arguments that are no flags, returns the exit code or
            `None` for 0.
        arguments: What such arguments are, e.g. `"FILE..."`. Empty: none is taken.
    """
    # TensorFlow reads it when it is imported; its start-up lines would bury the program's.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    def checked(argv: list[str]) -> int | None:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        if argv[1:] and not arguments:
            raise ValueError(f"unexpected argument {argv[1]!r}: everything here is a --flag=value")
        return main(argv[1:])

    try:
        app.run(checked, flags_parser=_parse)
    except (ValueError, OSError, flags.Error, app.UsageError) as error:
        if logging.get_verbosity() >= logging.DEBUG:
            raise
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(USAGE_ERROR)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    sys.exit(0)


def one_line(error: BaseException) -> str:
    """Returns what an error says, without line breaks."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{os.fspath(error.filename)}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def import_keras_quietly() -> None:
    """Imports Keras and keeps what its backend writes meanwhile off the terminal.

    TensorFlow 2.21 prints its start-up lines before it has read how much it may print, and turns
    absl's information lines on. An exception is raised as ever.
    """
    verbosity = logging.get_verbosity()
    with muted_standard_error():
        import keras  # noqa: F401

    logging.set_verbosity(verbosity)


@contextlib.contextmanager
def muted_standard_error() -> Iterator[None]:
    """Within the block, nothing reaches the terminal by standard error, of C++ neither.

    For what writes lines there that no setting keeps back. An exception is raised as ever.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)


def _parse(argv: list[str]) -> Any:
    try:
        return flags.FLAGS(argv)
    except flags.UnrecognizedFlagError as error:
        raise ValueError(unknown_name("flag", f"--{error.flagname}", _flag_names())) from None


def _flag_names() -> list[str]:
    """Returns the program's own flags; absl's are not worth suggesting."""
    own = flags.FLAGS.get_key_flags_for_module(sys.argv[0])
    return sorted(f"--{flag.name}" for flag in own)
