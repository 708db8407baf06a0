"""What programs share: parsing flags, running, and importing Keras quietly."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import NoReturn

from absl import flags

from nasnet_keras.programs.errors import reported
from nasnet_keras.programs.signals import leaving_at_once
from nasnet_keras.text.suggestions import unknown_name

_LONGEST_FLAG = 100


def run(main: Callable[[list[str]], int | None], arguments: str = "") -> NoReturn:
    """Parses the flags that are defined, runs a program and exits.

    Errors end it as in `reported`; with `--verbosity=1` the traceback is shown too.

    Args:
        main: The program; receives the arguments that are not flags, returns the exit code or
            `None` for 0.
        arguments: Name of such arguments, e.g. `"FILE..."`; empty if there are none.
    """
    # Not at the top: `--help` does not wait for these imports.
    from logging import Formatter

    from absl import app, logging

    # The error that follows says it in one line; what Pillow can read after all is read.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # TensorFlow reads it on import; its start-up lines would bury the program's.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    logging.get_absl_handler().setFormatter(Formatter("%(levelname)s: %(message)s"))

    def checked(argv: list[str]) -> int | None:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        if argv[1:] and not arguments:
            raise ValueError(f"unexpected argument {argv[1]!r}: all arguments are --flag=value")
        try:
            return main(argv[1:])
        except (ValueError, OSError):
            if logging.get_verbosity() >= logging.DEBUG:
                traceback.print_exc()
            raise

    with reported():
        app.run(checked, flags_parser=parse)
    sys.exit(0)


def parse(argv: list[str], values: flags.FlagValues = flags.FLAGS) -> list[str]:
    """Parses a command line; returns the program's name and the arguments that are not flags.

    Raises:
        ValueError: A flag is unknown (the nearest is suggested), or its value is missing.
    """
    # absl's own flags are not worth suggesting.
    own = sorted(f"--{flag.name}" for flag in values.get_key_flags_for_module(argv[0]))
    for word in argv[1:]:
        name = word.partition("=")[0]
        # absl would look for a similar one, with a recursion for each letter.
        if name.startswith("-") and len(name) > _LONGEST_FLAG:
            raise ValueError(unknown_name("flag", name, own))
    try:
        return values(argv)
    except flags.UnrecognizedFlagError as error:
        raise ValueError(unknown_name("flag", f"--{error.flagname}", own)) from None
    except flags.Error as error:
        raise ValueError(str(error)) from None


def import_keras_quietly() -> None:
    """Imports Keras without its backend's output on the terminal.

    TensorFlow 2.21 prints its start-up lines before it reads its log level, and turns absl's
    information lines on.
    """
    from absl import logging

    verbosity = logging.get_verbosity()
    with muted_standard_error() as stderr, leaving_at_once(stderr):
        import keras  # noqa: F401

    logging.set_verbosity(verbosity)


@contextlib.contextmanager
def muted_standard_error() -> Iterator[int]:
    """Silences standard error within the block, C++ libraries' too.

    For output that no setting turns off. Exceptions are raised as usual.

    Yields:
        A file descriptor that still is the standard error.
    """
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield saved
    finally:
        sys.stderr.flush()
        os.dup2(saved, 2)
        os.close(saved)
