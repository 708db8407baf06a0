"""A program: its flags and its main function."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from absl import flags

from nasnet_keras.programs import command_line
from nasnet_keras.programs.flags import Group, define, read
from nasnet_keras.programs.verbs import HELP


@dataclass(frozen=True)
class Program:
    """A command line.

    Attributes:
        main: Its function. Receives the values of each group, then the arguments that are not
            flags, if it takes any; returns the exit code, or `None` for 0.
        groups: Its flags.
        arguments: Name of the arguments that are not flags, e.g. `"FILE..."`; empty if there are
            none.
    """

    main: Callable[..., int | None]
    groups: tuple[Group, ...]
    arguments: str = ""

    def run(self, document: str) -> NoReturn:
        """Runs it with this process's arguments, and exits.

        Args:
            document: Text of `--help` before the flags.
        """
        self._define(flags.FLAGS, sys.argv[0])
        if HELP.intersection(sys.argv[1:]):
            _, _, listed = flags.FLAGS.module_help(sys.argv[0]).lstrip().partition("\n")
            listed = f"flags:\n\n{listed}\n\n" if self.groups else ""
            print(f"{document}\n\n{listed}--helpfull lists absl's too.", flush=True)
            sys.exit(0)
        command_line.run(
            lambda arguments: self.main(*self._read(flags.FLAGS, arguments)), self.arguments
        )

    def parse(self, *argv: str) -> list[Any]:
        """Returns the arguments of `main`, independent of this process's flags.

        Raises:
            ValueError: A flag is unknown, missing or empty, or its value is wrong.
        """
        values = flags.FlagValues()
        self._define(values, "program")
        _, *arguments = command_line.parse(["program", *argv], values)
        return self._read(values, arguments)

    def _define(self, values: flags.FlagValues, name: str) -> None:
        for group in self.groups:
            define(group, values, name)

    def _read(self, values: flags.FlagValues, arguments: list[str]) -> list[Any]:
        read_groups = [read(group, values) for group in self.groups]
        return [*read_groups, arguments] if self.arguments else read_groups
