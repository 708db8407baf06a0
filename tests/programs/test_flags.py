"""Flags are made from dataclasses, and what is wrong with one is one line, in every program."""

from __future__ import annotations

import importlib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from absl import flags

from nasnet_keras.programs.detect import train as detect_train
from nasnet_keras.programs.flags import Overrides, define
from nasnet_keras.programs.program import Program
from nasnet_keras.programs.search import run as search_run
from nasnet_keras.programs.verbs import programs
from nasnet_keras.search.engine.limits import Limits
from nasnet_keras.settings import Count, Positive, Settings, hints, without_none

PROGRAMS = {verb: importlib.import_module(module).PROGRAM for verb, module in programs()}


@dataclass(frozen=True)
class Flags(Settings):
    """What a program takes.

    Attributes:
        run_dir: Where `it` is.
        kind: Which kind.
        count: How many of
            them.
        sides: Height and width.
        names: Some names.
        option: A setting.
        dry: Do nothing.
        rate: How fast.
    """

    run_dir: str
    kind: Literal["one", "other"] = "one"
    count: Count | None = None
    sides: tuple[Count, Count] = (3, 4)
    names: tuple[str, ...] = ()
    option: Mapping[str, Any] = field(default_factory=dict)
    dry: bool = False
    rate: Positive = 0.5


PROGRAM = Program(print, (Flags,), "FILE...")


def test_flags_become_settings_and_the_rest_arguments() -> None:
    given, files = PROGRAM.parse(
        *("--run_dir=a=b", "one", "--count", "7", "--sides=5", "--names=a, b", "--dry"),
        *("--option=x=[1, 2]", "--option=y=word", "--rate=2", "--", "--two"),
    )
    assert given == Flags(
        "a=b", "one", 7, (5, 5), ("a", "b"), {"x": [1, 2], "y": "word"}, True, 2.0
    )
    assert files == ["one", "--two"]
    assert PROGRAM.parse("--run_dir=x", "--nodry", "--sides=5,6")[0].sides == (5, 6)
    assert PROGRAM.parse("--run_dir=x")[0] == Flags("x")


def test_overrides_are_those_that_were_given() -> None:
    program = Program(print, (Overrides(Flags, "the recipe's", ("count", "rate", "dry")),))
    assert program.parse("--rate=0.5", "--nodry") == [{"rate": 0.5, "dry": False}]
    with pytest.raises(ValueError, match="unknown flag '--kind'"):
        program.parse("--kind=one")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "--run_dir is missing: where it is"),
        (("--run_dir=",), "--run_dir is empty: give it a value, or leave it out"),
        (("--run_dir= ",), "--run_dir is empty: give it a value, or leave it out"),
        (("--names=a,",), "--names is empty: give it a value, or leave it out"),
        (("--option=",), "--option is empty: give it a value, or leave it out"),
        (("--option=x",), "--option is NAME=VALUE, got 'x'"),
        (("--kind=othre",), "unknown --kind 'othre'; did you mean 'other'?"),
        (("--count=0",), "--count is a whole number of at least 1, got 0"),
        (("--count=1.5",), "--count is a whole number of at least 1, got '1.5'"),
        (
            ("--count=99999999999999999999",),
            "--count is a whole number of at least 1, got 99999999999999999999, which is too large",
        ),
        (("--rate=nan",), "--rate is a number above 0, got nan"),
        (("--rate=fast\nest",), "--rate is a number above 0, got 'fast\\nest'"),
        (("--dry=maybe",), "--dry is true or false, got 'maybe'"),
        (("--sides=1,2,3",), "--sides is 2 whole numbers of at least 1, got (1, 2, 3)"),
        (("--cuont=3",), "unknown flag '--cuont'; did you mean '--count'?"),
        (("--count",), "Missing value for flag --count"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError) as error:
        PROGRAM.parse(*(() if "run_dir" in message else ("--run_dir=x",)), *arguments)
    assert str(error.value) == message


@pytest.mark.parametrize("verb", PROGRAMS)
def test_every_flag_of_every_program_has_help_and_refuses_an_empty_value(verb: str) -> None:
    values = flags.FlagValues()
    for group in PROGRAMS[verb].groups:
        define(group, values, verb)
    names = [flag.name for flag in values.get_key_flags_for_module(verb)]
    required = [name for name in names if values[name].help.endswith("Required.")]
    for name in names:
        assert len(values[name].help.split()) > 1 and "`" not in values[name].help
        others = [f"--{other}=x" for other in required if other != name]
        with pytest.raises(ValueError, match=f"^--{name} is empty"):
            PROGRAMS[verb].parse(f"--{name}=", *others)


def test_the_detector_s_flags_are_what_its_configuration_takes() -> None:
    pytest.importorskip("tensorflow")
    from nasnet_keras.detection.configuration.training_config import TrainingConfig
    from nasnet_keras.detection.modeling.config import DetectorConfig

    taken = hints(DetectorConfig) | hints(TrainingConfig)
    taken["max_number_of_steps"] = taken.pop("steps")
    for name, hint in hints(detect_train.Changes).items():
        assert hint == without_none(taken[name]), name


def test_the_search_s_limits_are_all_flags() -> None:
    assert hints(Limits).items() <= hints(search_run.Flags).items()


def test_a_detector_s_export_takes_every_format() -> None:
    pytest.importorskip("tensorflow")
    from nasnet_keras.export.detector.writers import DETECTOR_FORMATS
    from nasnet_keras.programs.detect import export

    taken = hints(export.Flags)
    assert typing.get_args(typing.get_args(taken["formats"])[0]) == tuple(DETECTOR_FORMATS)
    written = {name for each in DETECTOR_FORMATS.values() for name in each.precisions}
    assert set(typing.get_args(taken["precision"])) == written
