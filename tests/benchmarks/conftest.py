"""Benchmarks are programs: modules imported by name, which define flags."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from absl import flags

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[Path]:
    """The folder of the benchmarks, which can be imported until a file of tests has ended.

    Their flags go with them, because several programs have a flag of the same name.
    """
    before, defined = set(sys.modules), set(flags.FLAGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield BENCHMARKS
    for name in set(sys.modules) - before:
        if BENCHMARKS in Path(getattr(sys.modules[name], "__file__", None) or "/").parents:
            del sys.modules[name]
    for name in set(flags.FLAGS) - defined:
        flags.FLAGS.remove_flag_values([name])
