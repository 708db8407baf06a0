"""Being told to stop: by a scheduler that takes the machine away, or from the keyboard."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType


@dataclass
class StopRequest:
    """Whether the process was asked to stop.

    Attributes:
        signal: The signal that asked, `None` while there was none.
        agreed: Whether all workers have agreed to stop.
        early: Whether the training is over before its last step: a callback has ended it.
    """

    signal: signal.Signals | None = None
    agreed: bool = False
    early: bool = False


@contextlib.contextmanager
def stop_requests(request: StopRequest | None = None) -> Iterator[StopRequest]:
    """Within the block, SIGTERM and the first interrupt only ask, so that work can be saved.

    A second one of either kind ends the process as it always would. Outside the main thread, where
    Python hands out no signals, nothing changes.

    Args:
        request: Where to note it; a new one by default.

    Yields:
        That one.
    """
    request = request or StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, frame: FrameType | None) -> None:
        request.signal = signal.Signals(number)
        signal.signal(number, before[request.signal])

    before = {
        number: signal.signal(number, ask)
        for number in (signal.SIGTERM, signal.SIGINT)
        # A shell that runs a program in the background has it ignore the interrupts of others.
        if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hand_on(number: signal.Signals) -> None:
    """Calls the process's own handler of a signal, if it has one, now that the work is saved."""
    handler = signal.getsignal(number)
    if callable(handler):
        handler(number, None)
