"""What the programs share."""

import os
import sys

import pytest

from nasnet_keras.programs.command_line import muted_standard_error


def test_standard_error_is_muted_within_the_block_only(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="seen"), muted_standard_error():
        os.write(2, b"from C++\n")
        print("from Python", file=sys.__stderr__)
        raise ValueError("seen")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"
