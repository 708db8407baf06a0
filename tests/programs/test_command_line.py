"""What the programs share."""

import os
import sys

import pytest
from absl import flags

from nasnet_keras.programs.command_line import muted_standard_error, parse


def test_a_flag_of_any_length_is_unknown() -> None:
    for flag in ("--" + "a" * 101, "-" + "b" * 5000 + "=3"):
        with pytest.raises(ValueError, match="unknown flag '-") as caught:
            parse(["program", flag], flags.FlagValues())
        assert len(str(caught.value)) < 250


def test_standard_error_is_muted_within_the_block_only(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="seen"), muted_standard_error():
        os.write(2, b"from C++\n")
        print("from Python", file=sys.__stderr__)
        raise ValueError("seen")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
