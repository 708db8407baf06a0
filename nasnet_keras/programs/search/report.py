"""Writes a report of a search: its progress, its best children, and drawings of their cells.

  nasnet-keras search report --run_dir=runs/search

It is one self-contained HTML page.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import BestFlags, check_suffix, default_output
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class Flags(BestFlags):
    """What is reported, and where.

    Attributes:
        output: The .html file to write. Default: report.html in the search's directory.
    """

    output: str | None = None


def report(flags: Flags) -> None:
    from nasnet_keras.search.engine.run_directory import RunDirectory
    from nasnet_keras.search.report.report import write_report

    output = flags.output or default_output(flags.run_dir, "report.html")
    check_suffix(output, ".html")
    write_report(RunDirectory(flags.run_dir), output, flags.count)
    say(f"wrote {output}")


PROGRAM = Program(report, (Flags,))
