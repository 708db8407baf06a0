"""Prints the progress of a search.

  nasnet-keras search status --run_dir=runs/search

This does not disturb a running search.
"""

from __future__ import annotations

from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import SearchFlags
from nasnet_keras.text.plain_text import say


def show_status(flags: SearchFlags) -> None:
    from nasnet_keras.files.directory_lock import is_locked
    from nasnet_keras.search.engine.progress import describe
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report import tables
    from nasnet_keras.search.report.history import read_history

    history = read_history(RunDirectory(flags.run_dir))
    say(f"{tables.title(history.config)}: {describe(history.state)}")
    for name, value in tables.counts(history).rows:
        say(f"{name}: {value}")
    if history.state.running and not is_locked(flags.run_dir):
        print("no process is running it; the command that started it resumes it")
    if history.state.last_error:
        say(f"last error: {history.state.last_error}")


PROGRAM = Program(show_status, (SearchFlags,))
