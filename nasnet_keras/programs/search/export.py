"""Writes the cells of a child as a genotype file.

  nasnet-keras search export --run_dir=runs/search

--genotype=runs/search/best.json then trains them with any recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.files.atomic_files import check_can_write
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import (
    SearchFlags,
    check_suffix,
    child_name,
    default_output,
    read_child,
)
from nasnet_keras.settings import NonNegativeInt
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True, kw_only=True)
class Flags(SearchFlags):
    """What is exported, and where.

    Attributes:
        output: The .json file to write. Default: best.json or child-N.json in the search's
            directory.
        child: Number of a child. Default: the one with the highest reward.
    """

    output: str | None = None
    child: NonNegativeInt | None = None


def export(flags: Flags) -> None:
    # By this suffix, --genotype tells a file from a published name.
    output = flags.output or default_output(flags.run_dir, f"{child_name(flags.child)}.json")
    check_suffix(output, ".json")
    genotype = read_child(flags.run_dir, flags.child)
    check_can_write(output)
    genotype.save(output)
    say(f"wrote {genotype.name} to {output}")


PROGRAM = Program(export, (Flags,))
