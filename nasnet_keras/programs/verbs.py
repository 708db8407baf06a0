"""The command `nasnet-keras`: a verb for each program, which is imported when chosen."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import nasnet_keras
from nasnet_keras.programs.errors import reported
from nasnet_keras.text.suggestions import unknown_name

HELP = {"--help", "-help", "--helpshort", "-h", "-?"}
_NAME = "nasnet-keras"
# The programs' modules; a group of programs needs a second word.
_VERBS: dict[str, Any] = {
    "train": "train",
    "eval": "eval",
    "classify": "classify",
    "export": "export_classifier",
    "export-saved-model": "export_saved_model",
    "convert": "convert",
    "demo": "demo",
    "check-data": "check_data",
    "info": "info",
    "search": {
        "run": "search.run",
        "status": "search.status",
        "top": "search.top",
        "rerank": "search.rerank",
        "final": "search.final",
        "report": "search.report",
        "draw": "search.draw",
        "export": "search.export",
    },
    "detect": {
        "make-toy-dataset": "detect.make_toy_dataset",
        "train": "detect.train",
        "eval": "detect.eval",
        "predict": "detect.predict",
        "export": "detect.export",
        "browse": "detect.browse",
        "convert": "detect.convert",
    },
}


def run(verb: str = "") -> NoReturn:
    """Runs the program that this process's arguments name, and exits.

    Args:
        verb: Leading words that the started script implies, e.g. `"search"` or `"detect train"`.
    """
    with reported():
        words, path, chosen = sys.argv[1:], verb.split(), _VERBS
        for word in path:
            chosen = chosen[word]
        while isinstance(chosen, dict):
            word = next((word for word in words if not word.startswith("-")), None)
            if word is None:
                _list_programs(path, verb, chosen, words)
                sys.exit(0)
            if word not in chosen:
                raise ValueError(unknown_name("command", word, chosen))
            words.remove(word)
            path, chosen = [*path, word], chosen[word]
        sys.argv[1:] = words
        module = importlib.import_module(f"{__package__}.{chosen}")
        module.PROGRAM.run(_as_typed(module.__doc__ or "", verb).strip())
    sys.exit(0)


def programs(verbs: dict[str, Any] = _VERBS) -> Iterator[tuple[str, str]]:
    """Yields each program's verbs, e.g. `"search run"`, and its module."""
    for word, below in verbs.items():
        if isinstance(below, dict):
            yield from ((f"{word} {more}", module) for more, module in programs(below))
        else:
            yield word, f"{__package__}.{below}"


def _list_programs(path: list[str], verb: str, verbs: dict[str, Any], words: list[str]) -> None:
    """Lists the programs below some verbs, if `--help` asks for it."""
    command = _as_typed(" ".join([_NAME, *path]), verb)
    if "--version" in words and not path:
        print(f"{_NAME} {nasnet_keras.__version__}")
        return
    if not HELP.intersection(words):
        raise ValueError(f"`{command}` needs a command: {', '.join(verbs)}")
    lines = [(name, _first_line(module)) for name, module in programs(verbs)]
    width = max(len(name) for name, _ in lines)
    package = importlib.import_module(".".join([str(__package__), *path]))
    print(_as_typed(package.__doc__ or "", verb).strip())
    print(f"\nCommands (`{command} COMMAND --help` explains one):\n")
    print("\n".join(f"  {name:{width}}  {line}" for name, line in lines), flush=True)


def _as_typed(text: str, verb: str) -> str:
    """Returns a text with the command as the user typed it."""
    program = sys.argv[0]
    if program.endswith("__main__.py"):
        typed = "python -m nasnet_keras"
    else:
        typed = f"python {program}" if program.endswith(".py") else _NAME
    return text.replace(f"{_NAME} {verb}".rstrip(), typed)


def _first_line(module: str) -> str:
    """Returns the first line of a module's docstring, without importing the module."""
    path = Path(__file__).parent / f"{module.removeprefix(f'{__package__}.').replace('.', '/')}.py"
    with path.open(encoding="utf-8") as file:
        return file.readline().partition('"""')[2].strip()
