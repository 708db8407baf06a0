"""Every failure is one line and an exit code."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nasnet_keras.out_of_memory import OutOfMemory, memory_for
from nasnet_keras.programs.errors import one_line, reported

ROOT = Path(__file__).parents[2]
GRAPH = """Graph execution error:

Detected at node model/decode defined at (most recent call last):
  File "train.py", line 7, in <module>

  File "keras/trainer.py", line 120, in fit

2 root error(s) found.
  (0) INVALID_ARGUMENT: image is 3 bytes
\t [[{{node model/decode}}]] [Op:__inference_step_1]
1 successful operations.
0 derived errors ignored."""


class OpError(Exception):
    """As TensorFlow's, by its name."""


OpError.__module__ = "tensorflow.python.framework.errors_impl"


def ended(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with pytest.raises(SystemExit) as caught, reported():
        raise error
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return caught.value.code, text.strip()


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (ValueError("first\nsecond"), 2, "error: first second"),
        (FileNotFoundError(2, "No such file", "a.json"), 2, "error: a.json: No such file"),
        (OSError(28, "No space left on device", "x"), 2, "error: x: No space left on device"),
        (OSError(5, "Input/output error"), 2, "error: Input/output error"),
        (OSError("a: [Errno 27] File too large"), 2, "error: a: [Errno 27] File too large"),
        (OpError(GRAPH), 1, "error: INVALID_ARGUMENT: image is 3 bytes"),
        (OpError("a/b; No space left on device"), 2, "error: a/b; No space left on device"),
        (MemoryError(), 1, "error: MemoryError"),
        (OutOfMemory("out of memory with 3"), 1, "error: out of memory with 3"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_failures_are_one_line(error, code, text, capsys):
    assert ended(error, capsys) == (code, text)


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), reported():
        raise ZeroDivisionError


def test_what_keras_says_around_an_error_is_left_out():
    text = (
        "Exception encountered when calling Dense.call().\n\n\x1b[1mthe shape is 3\x1b[0m\n\n"
        "Arguments received by Dense.call():\n  • inputs=tf.Tensor(shape=(3,))"
    )
    assert one_line(ValueError(text)) == "the shape is 3"


def test_a_line_does_not_repeat_a_long_value(capsys):
    code, text = ended(ValueError(f"--recipe is a name, got {'x' * 5000!r}"), capsys)
    assert code == 2 and len(text) < 250


def test_sigterm_ends_the_block_after_it_has_cleaned_up(capsys):
    cleaned = []
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as caught, reported():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        finally:
            cleaned.append(True)
    assert caught.value.code == 143 and cleaned
    assert capsys.readouterr().err == "terminated\n"
    assert signal.getsignal(signal.SIGTERM) == before


def test_memory_is_named_by_what_it_was_for():
    for error in (
        MemoryError(),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory"),
        OSError(12, ""),
    ):
        with pytest.raises(OutOfMemory, match="with batch_size=4, image_size=9: lower one of them"):
            with memory_for(batch_size=4, image_size=9):
                raise error
    with pytest.raises(OSError, match="other"), memory_for(batch_size=4):
        raise OSError(errno.EIO, "other")


def python(code: str, **options) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("say", ["print", "PlainConsole().print"])
def test_a_closed_pipe_ends_quietly(say):
    program = python(
        "from nasnet_keras.programs.errors import reported\n"
        "from nasnet_keras.text.plain_console import PlainConsole\n"
        "with reported():\n"
        "    for _ in range(10**6):\n"
        f"        {say}('line')\n"
    )
    assert program.stdout.readline() == "line\n"
    program.stdout.close()
    assert program.wait(60) == 141
    assert program.stderr.read() == ""


# A short line, which is written at the end, and many, which are written at once.
@pytest.mark.parametrize("words", [["--version"], ["--help"], ["train", "--help"]])
def test_a_full_disk_behind_the_standard_output_is_named(words):
    # Python takes an empty value for none.
    for unbuffered in ("", "1"):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "nasnet_keras", *words],
                stdout=full, stderr=subprocess.PIPE, text=True, cwd=ROOT,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            )  # fmt: skip
        assert done.returncode == 2
        assert done.stderr == "error: standard output: No space left on device\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_while_libraries_are_imported_are_one_word(number):
    program = python(
        "from nasnet_keras.programs.signals import leaving_at_once\n"
        "import time\n"
        "with leaving_at_once():\n"
        "    print('importing', flush=True)\n"
        "    try:\n"
        "        time.sleep(60)\n"
        "    except BaseException:\n"
        "        time.sleep(60)\n",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert program.stdout.readline() == "importing\n"
    program.send_signal(number)
    assert program.wait(30) == 128 + number
    assert program.stderr.read() in ("interrupted\n", "terminated\n")


def test_an_interrupt_before_the_program_runs_ends_it_without_a_traceback():
    program = python(
        "import nasnet_keras.programs.start, os, signal\nos.kill(os.getpid(), signal.SIGINT)",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert program.wait(30) == -signal.SIGINT
    assert program.stderr.read() == ""
