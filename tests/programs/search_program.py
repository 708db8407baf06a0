"""The search's program in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def program(command: str, **flags: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "search_architecture.py", command]
        + [f"--{name}={value}" for name, value in flags.items()],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
    )
