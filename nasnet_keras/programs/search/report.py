"""Writes a report of a search: its progress, its best children, and drawings of their cells.

  nasnet-keras search report --run_dir=runs/search --output=report.html

It is one self-contained HTML page.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.plain_text import say
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import BestFlags, check_suffix


@dataclass(frozen=True, kw_only=True)
class Flags(BestFlags):
    """What is reported, and where.

    Attributes:
        output: The .html file to write.
    """

    output: str


def report(flags: Flags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.report import write_report

    check_suffix(flags.output, ".html")
    write_report(RunDirectory(flags.run_dir), flags.output, flags.count)
    say(f"wrote {flags.output}")


PROGRAM = Program(report, (Flags,))
