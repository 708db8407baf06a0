"""What the programs share."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from absl import flags
from PIL import Image

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


def test_what_pillow_warns_of_is_not_beside_the_error_s_line(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("RGB", (20, 20)).save(file, "TIFF")
    # Its directory begins behind its end.
    (tmp_path / "a.tiff").write_bytes(file.getvalue()[:8] + b"\xff" * 60)
    script = """
import sys
from nasnet_keras.data.image_reader import decode_image
from nasnet_keras.programs.command_line import run

run(lambda files: decode_image(open(files[0], "rb").read()) and None, "FILE...")
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.tiff")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
