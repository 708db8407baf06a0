"""Runs the suite on any backend; without TensorFlow where another one is active."""

import os
import signal
import sys
from pathlib import Path

import pytest

# A shell that runs the suite in the background has it ignore the interrupts that tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Kernels split sums by the number of threads; the golden values are of two.
os.environ["TF_NUM_INTRAOP_THREADS"] = "2"
BACKEND = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if BACKEND != "tensorflow":
    # What must work without TensorFlow is tested without it.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason=f"needs TensorFlow; the backend is {BACKEND}")
    for item in items:
        if BACKEND != "tensorflow" and item.get_closest_marker("tensorflow"):
            item.add_marker(skip)


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Image files that tests check are not remembered in the user's cache.
    os.environ["KERAS_HOME"] = str(tmp_path_factory.mktemp("keras_home"))


@pytest.fixture
def golden() -> Path:
    """The folder of values from the original code."""
    return Path(__file__).parent / "golden"


@pytest.fixture
def real_data() -> Path:
    """The folder of real datasets, which is not part of the project."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("NASNET_KERAS_DATA", default))
    if not (folder / "tfds").is_dir():
        pytest.skip(f"needs the datasets of {folder}; NASNET_KERAS_DATA names another place")
    return folder
