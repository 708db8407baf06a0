"""A terminal that prints names and paths as they are."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from nasnet_keras.text.plain_text import printable


class PlainConsole(Console):
    """Rich's console without markup: `[b]`, `:smile:` and control characters are text.

    A closed pipe is an error as with `print`; Rich would end the process.

    Args:
        **options: Of `rich.console.Console`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:
        return super().render_str(printable(text, keep="\n"), **options)

    def on_broken_pipe(self) -> None:
        raise


def say_on(console: Console, text: str) -> None:
    """Prints lines as they are to a console of any kind, without breaking them."""
    console.print(Text(printable(text, keep="\n")), soft_wrap=True)
