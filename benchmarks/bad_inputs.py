"""Does every program refuse every bad input in one line, and leave everything as it was?

  python benchmarks/bad_inputs.py --cases=1000 --seed=0

Damages command lines and files of every kind that the programs read, and runs the programs on
them. A fault is a traceback, a hang, an abort, a refusal of more than one line, an input that
changed, or something left behind. What is damaged and still valid may be accepted; work that would
begin then is not done. Programs run in forks of one process that has imported everything; some
refusals are repeated in processes as a user starts them, and have to be the same.

The seed fixes the cases: --only=KIND or --only=KIND/INDEX repeats some, --keep=DIR keeps the files.
"""

import argparse
import collections
import random
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from fuzzing.commands import COMMANDS, inputs_of
from fuzzing.disguises import put_odd_things
from fuzzing.flag_cases import damage_command
from fuzzing.inputs import MAKERS, Inputs
from fuzzing.kinds import KINDS, Kind, damage_file
from fuzzing.sandbox import ACCEPTED, Ended, Sandbox, temporary_directory
from fuzzing.verdict import digest, faults

# A command line costs much less than a file, and there are many flags.
_FLAGS_WEIGHT = 4
_SORTS = ("traceback", "hang", "aborted", "message", "changed", "left")
_COLUMNS = ("cases", "refused", "accepted", *_SORTS)
_WIDTH = 34


@dataclass(frozen=True)
class Tried:
    """A case, and how it ended."""

    name: str
    directory: Path
    words: list[str]
    how: str
    ended: Ended
    faults: list[str]


class Fuzzer:
    """Makes the cases of a seed and runs them."""

    def __init__(self, directory: Path, seed: int, time_limit: float) -> None:
        self.directory = directory
        self.seed = seed
        self.sandbox = Sandbox(directory / "logs", time_limit)
        self.inputs = Inputs(directory / "inputs", self.sandbox)

    def run(self, kind: str, index: int) -> Tried:
        """Runs a case; its directory stays only where something is wrong."""
        directory = self.directory / "cases" / f"{kind.replace('/', '_')}-{index}".replace(" ", "_")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        source = random.Random(f"{self.seed}/{kind}/{index}")
        rules = KINDS.get(kind, Kind(0, (), ()))
        copied: set[str] = set()

        def copy(name: str) -> None:
            if name not in copied:
                self.inputs.copy(name, directory)
                copied.add(name)

        if kind in KINDS:
            words, how = damage_file(rules, directory, source, copy)
        else:
            words, how = damage_command(kind.removeprefix("flags: "), source)
            put_odd_things(directory / "odd")
        for name in sorted(inputs_of(words, MAKERS)):
            copy(name)
        before = digest(directory)
        ended = self.sandbox.fork(directory, words)
        temporary = directory.parent / f"{directory.name}.tmp"
        # A file that is there is replaced where it is named as the output.
        outputs = (word.partition("=")[2] for word in words if word.startswith("--output="))
        found = faults(
            ended,
            before,
            digest(directory),
            [path.name for path in temporary.iterdir()],
            (*outputs, *rules.continued, *(("search",) if kind == "flags: search run" else ())),
            rules.listing or kind.startswith("flags: detect"),
            rules.answered or kind == "flags: detect predict",
        )
        shutil.rmtree(temporary, ignore_errors=True)
        return Tried(f"{kind}/{index}", directory, words, how, ended, found)

    def repeat(self, tried: Tried) -> list[str]:
        """Runs a refused case as a user does; returns what differs."""
        ended = self.sandbox.process(tried.directory, tried.words)
        same = (ended.code, ended.errors) == (tried.ended.code, tried.ended.errors)
        return [] if same else [f"message: in a process of its own: {ended.code} {ended.errors!r}"]


def plan(cases: int, only: list[str]) -> list[tuple[str, int]]:
    """Returns the kinds and indices to try."""
    weights = {f"flags: {program}": _FLAGS_WEIGHT for program in COMMANDS}
    weights |= {name: kind.weight for name, kind in KINDS.items()}
    total = sum(weights.values())
    if not only:
        only = list(weights)
    found = []
    for each in only:
        kind, _, index = (each, "", "") if each in weights else each.rpartition("/")
        if kind not in weights:
            raise SystemExit(f"no such kind: {each}; there are {', '.join(weights)}")
        indices = [int(index)] if index else range(-(-cases * weights[kind] // total))
        found += [(kind, index) for index in indices]
    return found


def parse() -> argparse.Namespace:
    # Not absl, whose flags are the programs'.
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--cases", type=int, default=1000, help="how many bad inputs of all kinds together")
    add("--seed", type=int, default=0, help="seed of the inputs")
    add("--only", action="append", default=[], help="a kind, or a case (KIND/INDEX); repeatable")
    add("--keep", type=Path, help="directory to keep the good inputs and the cases in")
    add(
        "--time_limit",
        type=float,
        default=60,
        help="seconds of computing after which a program hangs",
    )
    add("--processes", type=int, default=20, help="refusals to repeat in real processes")
    return parser.parse_args()


def main() -> int:
    options = parse()
    _print_heading()
    with temporary_directory() as temporary:
        directory = (options.keep or temporary).resolve()
        fuzzer = Fuzzer(directory, options.seed, options.time_limit)
        rows: dict[str, collections.Counter] = {}
        to_repeat: list[Tried] = []
        chooser = random.Random(options.seed)
        faulty = refused = 0
        cases = plan(options.cases, options.only)
        for (kind, index), (following, _) in zip(cases, [*cases[1:], ("", 0)], strict=True):
            tried = fuzzer.run(kind, index)
            _count(rows.setdefault(kind, collections.Counter()), tried)
            if tried.faults:
                _show(tried, tried.faults, options.seed)
                faulty += 1
            if tried.ended.code == 2 and not tried.faults:
                # As likely each of all, whatever their number will be.
                refused += 1
                place = chooser.randrange(refused)
                if len(to_repeat) < options.processes:
                    to_repeat.append(tried)
                elif place < options.processes:
                    to_repeat[place] = tried
            if not options.keep and tried not in to_repeat:
                shutil.rmtree(tried.directory, ignore_errors=True)
            if kind != following:
                _print_row(kind, rows[kind])
        for tried in to_repeat:
            if found := fuzzer.repeat(tried):
                faulty += 1
                _show(tried, found, options.seed)
    _print_row("all", sum(rows.values(), collections.Counter()))
    print(f"{len(to_repeat)} of the refusals repeated in processes of their own; {faulty} faults")
    return 1 if faulty else 0


def _count(row: collections.Counter, tried: Tried) -> None:
    row["cases"] += 1
    row["seconds"] += tried.ended.seconds
    if tried.faults:
        pass
    elif tried.ended.code in (0, ACCEPTED):
        row["accepted"] += 1
    else:
        # Or listed, by `check-data`.
        row["refused"] += 1
    for sort in {fault.partition(":")[0] for fault in tried.faults}:
        row[sort] += 1


def _show(tried: Tried, found: list[str], seed: int) -> None:
    print(f"{tried.name}: {tried.how}")
    print(f"  nasnet-keras {' '.join(tried.words)[:300]}".encode("utf-8", "replace").decode())
    for fault in found:
        print(f"  {fault}".encode("utf-8", "replace").decode())
    print(f"  again: --seed={seed} --only='{tried.name}' --keep=DIR", flush=True)


def _print_heading() -> None:
    print(f"{'':{_WIDTH}}" + "".join(f"{column:>10}" for column in _COLUMNS) + "  s a case")


def _print_row(name: str, row: collections.Counter) -> None:
    numbers = "".join(f"{row[column]:10}" for column in _COLUMNS)
    print(f"{name:{_WIDTH}}{numbers}{row['seconds'] / row['cases']:10.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
