"""What JAX has compiled for a training is read by the next one, unless somebody wants otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nasnet_keras.training.compilation_cache import FIRST_VERSION, _remove_oldest
from tests.one_block_cells import GENOTYPE

# Two starts of the program in one process, which forgets what it has compiled in between.
PROGRAM = """
import os, sys
import jax
sys.modules["tensorflow"] = None
from nasnet_keras.programs.train import PROGRAM
from nasnet_keras.training.compilation_cache import keep_compiled_programs

counts = {"cache_hits": 0, "cache_misses": 0}
def count(event, **_):
    name = event.rpartition("/")[2]
    if name in counts:
        counts[name] += 1
jax.monitoring.register_event_listener(count)

# Switched off, or named: left as it is.
directory = lambda: jax.config.jax_compilation_cache_dir
jax.config.update("jax_enable_compilation_cache", False)
keep_compiled_programs()
assert directory() is None
jax.config.update("jax_enable_compilation_cache", True)
jax.config.update("jax_compilation_cache_dir", "mine")
keep_compiled_programs()
assert directory() == "mine"
jax.config.update("jax_compilation_cache_dir", None)

for name in ("first", "second"):
    flags = ["--num_cells=2", "--filters=2", "--stem_filters=4", "--batch_size=256", "--epochs=1"]
    flags += ["--recipe=digits", f"--genotype={sys.argv[1]}/cell.json", "--notensorboard"]
    assert PROGRAM.main(*PROGRAM.parse(*flags, f"--train_dir={sys.argv[1]}/{name}")) == 0
    assert directory() == os.path.join(os.environ["KERAS_HOME"], "nasnet_keras", "jax_programs")
    print(name, counts["cache_hits"] > 0, counts["cache_misses"])
    jax.clear_caches()
"""


def test_second_start_reads_what_the_first_has_compiled(tmp_path):
    jax = pytest.importorskip("jax")
    if jax.__version_info__ < FIRST_VERSION:
        pytest.skip("programs that this version of JAX reads back are damaged")
    (tmp_path / "cell.json").write_text(GENOTYPE.to_json())
    environment = {
        "KERAS_BACKEND": "jax",
        "KERAS_HOME": str(tmp_path / "home"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=os.environ | environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    first, second = (line.split() for line in done.stdout.splitlines() if line[:2] in ("fi", "se"))
    assert first[1] == "False" and second[1] == "True"
    # Nothing had to be compiled again.
    assert int(first[2]) == int(second[2]) > 0
    kept = list((tmp_path / "home" / "nasnet_keras" / "jax_programs").iterdir())
    assert any("train_step" in path.name for path in kept)
    records = [
        json.loads((tmp_path / name / "metrics.jsonl").read_text()) for name in ("first", "second")
    ]
    assert records[0]["loss"] == records[1]["loss"]


def test_oldest_programs_go_first(tmp_path):
    for age, name in enumerate(("new", "middle", "old")):
        path = tmp_path / name
        path.write_bytes(bytes(100))
        os.utime(path, (1e9 - age, 1e9 - age))
    _remove_oldest(tmp_path, 200)
    assert {path.name for path in tmp_path.iterdir()} == {"new", "middle"}
    _remove_oldest(tmp_path, 50)
    assert not list(tmp_path.iterdir())
