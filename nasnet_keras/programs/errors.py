"""How a program ends: one line for every failure, and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import re
import select
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

from nasnet_keras.files.atomic_files import FULL, is_disk_full, naming
from nasnet_keras.out_of_memory import is_out_of_memory
from nasnet_keras.programs.signals import WORDS, Received, Terminated, signals_raised
from nasnet_keras.text.plain_text import line

FAILED = 1
USAGE_ERROR = 2
BROKEN_PIPE = 128 + signal.SIGPIPE

# What TensorFlow and Keras say around what went wrong: where in a graph, with which arguments.
# It is compiled where it is needed first, which is not the start of a program.
_AROUND = r"""\n\s*Arguments\ received\ by\ [\s\S]*
    | ^Original\ stack\ trace\ for[\s\S]*
    | ^(Exception\ encountered\ when\ calling|Graph\ execution\ error:|Detected\ at\ node|Hint:).*$
    | ^\s*File\ ".*",\ line\ \d+,\ in.*$
    | ^<stack\ traces\ unavailable>$
    | ^.*\ root\ error\(s\)\ found\.$
    | ^\s*\(\d+\)\ (?=[A-Z_]+:)
    | ^\d+\ (successful\ operations|derived\ errors\ ignored)\.$
    | \{\{(function_)?node\ .*?\}\}
    | \[\[\{\{node\ .*?\}\}\]\]
    | \[Op:\w*\](\ name:.*$)?
    | \x1b\[\d*m"""
# Of TensorFlow and of JAX; neither is imported here.
_GRAPH_ERRORS = {
    "tensorflow.python.framework.errors_impl.OpError",
    "jax.errors.JaxRuntimeError",
    "jaxlib._jax.XlaRuntimeError",
    "jaxlib.xla_extension.XlaRuntimeError",
}

_OUTPUT = "standard output"


@contextlib.contextmanager
def reported() -> Iterator[None]:
    """Turns errors within the block into one line on standard error and an exit code.

    What was given cannot be used, or not be read or written: 2. The work failed, for want of memory
    or within TensorFlow: 1. A signal: 128 and its number, so 130 for an interrupt and 143 for
    SIGTERM; by then everything within the block has cleaned up. A reader that closed its pipe, such
    as `head`: 141 and no line. Anything else is a bug and keeps its traceback.
    """
    _show_all_names()
    received = Received()
    try:
        with signals_raised() as received:
            try:
                yield
            except SystemExit:
                _flush()
                raise
            _flush()
    except KeyboardInterrupt:
        _end_by(signal.SIGINT)
    except Terminated:
        _end_by(signal.SIGTERM)
    except Exception as error:
        if received.number is not None:
            _end_by(received.number)
        if _is_closed_pipe(error):
            _end("", BROKEN_PIPE)
        error = _named(error)
        code = _exit_code(error)
        if code is None:
            raise
        _end(f"error: {one_line(error)}", code)


def one_line(error: BaseException) -> str:
    """Returns what an error says, without line breaks and what libraries put around it."""
    if isinstance(error, OSError) and error.strerror:
        file = "" if error.filename is None else f"{os.fsdecode(error.filename)}: "
        return line(f"{file}{error.strerror}")
    text = str(error)
    said = re.sub(_AROUND, "", text, flags=re.VERBOSE | re.MULTILINE)
    return line(said) or line(text) or type(error).__name__


def print_error(error: BaseException | str) -> None:
    """Prints the line of an error that does not end the program."""
    text = line(error) if isinstance(error, str) else one_line(error)
    print(f"error: {text}", file=sys.stderr)


def _exit_code(error: Exception) -> int | None:
    """Returns `None` for a bug."""
    if is_disk_full(error):
        return USAGE_ERROR
    if is_out_of_memory(error) or _is_of_a_graph(error):
        return FAILED
    return USAGE_ERROR if isinstance(error, ValueError | OSError) else None


def _is_of_a_graph(error: Exception) -> bool:
    """Returns whether what TensorFlow or JAX executed failed."""
    return any(
        f"{each.__module__}.{each.__name__}" in _GRAPH_ERRORS for each in type(error).__mro__
    )


def _end_by(number: signal.Signals) -> NoReturn:
    """Ends as a shell says of a program that a signal has ended."""
    _end(WORDS[number], 128 + number)


def _end(text: str, code: int) -> NoReturn:
    if text:
        print(text, file=sys.stderr)
    sys.exit(code)


def _show_all_names() -> None:
    """Lets a name be printed that the terminal has no characters for, or that is not UTF-8."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flush() -> None:
    """Writes what is still to be printed, while an error can be reported."""
    if sys.stdout is None:
        return
    try:
        with naming(_OUTPUT):
            sys.stdout.flush()
    except OSError:
        _discard_output()
        raise


def _named(error: Exception) -> Exception:
    """Returns an error of a full disk with a name: all files have theirs, so it is the output."""
    # What is raised with a text, and no number, says what it is about.
    if isinstance(error, OSError) and error.errno in FULL and error.filename is None:
        if sys.stdout is not None:
            _discard_output()
        return OSError(error.errno, error.strerror, _OUTPUT)
    return error


def _is_closed_pipe(error: Exception) -> bool:
    """Returns whether nobody reads the standard output any more; it leads nowhere then."""
    if not isinstance(error, BrokenPipeError) or sys.stdout is None:
        return False
    if error.filename == _OUTPUT:
        return True
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    closed = any(event & select.POLLERR for _, event in poll.poll(0))
    if closed:
        _discard_output()
    return closed


def _discard_output() -> None:
    # Python would try to write once more at its end, and complain.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
