"""The first that a program imports: from here on, an interrupt shows no traceback."""

from __future__ import annotations

import signal

# Before all other imports. Until `run` takes it over, the signal just ends the process.
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from typing import NoReturn

from nasnet_keras.programs.signals import leaving_at_once


def run(verb: str = "") -> NoReturn:
    """Runs the program that this process's arguments name, and exits.

    Args:
        verb: Leading words that the started script implies, e.g. `"search"` or `"detect train"`.
    """
    with leaving_at_once():
        from nasnet_keras.programs import verbs

        # It takes the signals over.
        verbs.run(verb)
