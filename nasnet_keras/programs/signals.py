"""What an interrupt and SIGTERM do to a program."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

WORDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""What a program says that a signal has ended."""

_MOMENT = 0.05  # Seconds.
_Handler = Callable[[int, FrameType | None], None]


class Terminated(BaseException):
    """SIGTERM: schedulers send it before they take a machine away."""


@dataclass
class Received:
    """The signal that a program got, if any.

    Native libraries that call Python make other exceptions of the one that the signal raised.
    """

    number: signal.Signals | None = None


@contextlib.contextmanager
def signals_raised() -> Iterator[Received]:
    """Within the block, a signal is an exception, so that what is half written is undone.

    Yields:
        The signal that came, as soon as it did.

    Raises:
        KeyboardInterrupt: An interrupt.
        Terminated: SIGTERM; while the block is left, further ones are ignored.
    """
    process = os.getpid()
    received = Received()

    def interrupt(number: int, frame: FrameType | None) -> None:
        received.number = signal.SIGINT
        signal.default_int_handler(number, frame)

    def terminate(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            signal.signal(number, signal.SIG_IGN)
            received.number = signal.SIGTERM
            raise Terminated
        # A fork of this process, which has nothing to undo.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    handlers = {signal.SIGTERM: terminate, signal.SIGINT: interrupt}
    with _handled_by(handlers), _swallowed_signals_come_again(terminate):
        yield received


@contextlib.contextmanager
def _swallowed_signals_come_again(terminate: _Handler) -> Iterator[None]:
    """Within the block, a signal that came in a destructor comes once more, a moment later.

    Python prints what is raised in a destructor or the callback of a weak reference and goes on.
    """
    report = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        number = {KeyboardInterrupt: signal.SIGINT, Terminated: signal.SIGTERM}.get(
            unraisable.exc_type
        )
        if number is None:
            report(unraisable)
            return
        if number == signal.SIGTERM:
            signal.signal(number, terminate)
        again = threading.Timer(_MOMENT, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = report


@contextlib.contextmanager
def leaving_at_once(stderr: int = 2) -> Iterator[None]:
    """Within the block, a signal ends the process at once, with one word and its exit code.

    It is for imports: they have nothing to undo, and those of native libraries lose exceptions or
    turn them into other ones.

    Args:
        stderr: File descriptor of the standard error.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        os.write(stderr, f"{WORDS[signal.Signals(number)]}\n".encode())
        os._exit(128 + number)

    with _handled_by(dict.fromkeys(WORDS, leave)):
        yield


@contextlib.contextmanager
def _handled_by(handlers: Mapping[signal.Signals, _Handler]) -> Iterator[None]:
    before = {}
    # Python hands signals to the main thread alone.
    if threading.current_thread() is threading.main_thread():
        before = {
            number: signal.signal(number, handler)
            for number, handler in handlers.items()
            # A shell has what it runs in the background ignore interrupts.
            if signal.getsignal(number) != signal.SIG_IGN
        }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
