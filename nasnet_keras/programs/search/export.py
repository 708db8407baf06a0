"""Writes the cells of a child as a genotype file.

  nasnet-keras search export --run_dir=runs/search --output=best.json

--genotype=best.json then trains them with any recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.atomic_files import check_can_write
from nasnet_keras.plain_text import say
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search.outputs import SearchFlags, check_suffix, read_child
from nasnet_keras.settings import NonNegativeInt


@dataclass(frozen=True, kw_only=True)
class Flags(SearchFlags):
    """What is exported, and where.

    Attributes:
        output: The .json file to write.
        child: Number of a child. Default: the one with the highest accuracy.
    """

    output: str
    child: NonNegativeInt | None = None


def export(flags: Flags) -> None:
    # By this suffix, --genotype tells a file from a published name.
    check_suffix(flags.output, ".json")
    genotype = read_child(flags.run_dir, flags.child)
    check_can_write(flags.output)
    genotype.save(flags.output)
    say(f"wrote {genotype.name} to {flags.output}")


PROGRAM = Program(export, (Flags,))
