"""Children in processes of this machine: their limits, their ends and those of their driver."""

import subprocess
from pathlib import Path

import pytest

from nasnet_keras.search.engine.journal import read_journal
from nasnet_keras.search.executors.job_process import JobLimits
from nasnet_keras.search.executors.local_executor import LocalExecutor
from tests.search.driver import killed_search, running, start
from tests.search.quick_children import quick


def errors(directory: Path) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for event, _ in read_journal(directory / "journal.jsonl"):
        if event["event"] == "failed":
            found.setdefault(event["number"], []).append(event["error"])
    return found


def test_each_child_has_its_own_fate(tmp_path: Path) -> None:
    assert start(tmp_path, "mixed", 9).wait(timeout=280) == 0
    assert errors(tmp_path) == {
        0: ["ValueError: no luck"] * 3,
        1: ["the process was killed from outside"],
        2: ["TimeLimit: more than 8 s"],
        3: ["ValueError: the reward is not finite, got nan"] * 3,
        4: ["exit code 3"] * 2,
        5: ["MemoryLimit: more than 250 MiB"] * 3,
    }
    results = [e for e, _ in read_journal(tmp_path / "journal.jsonl") if e["event"] == "result"]
    assert sorted(event["number"] for event in results) == [1, 4, 6, 7, 8]
    assert "ValueError: no\nluck" in (tmp_path / "children" / "0" / "log.txt").read_text()


def test_a_search_killed_again_and_again_is_as_if_left_alone() -> None:
    counts = killed_search("local", kills=4, children=16, workers=3)
    assert sum(counts["kills"].values()) == 4
    assert counts["events"]["result"] == 16


def test_an_interrupted_driver_ends_its_children(tmp_path: Path) -> None:
    driver = start(tmp_path, "slow", 50)
    with pytest.raises(subprocess.TimeoutExpired):
        driver.wait(timeout=0.1)
    while not running(tmp_path):
        assert driver.poll() is None
    driver.send_signal(2)
    assert driver.wait(timeout=60) != 0
    assert running(tmp_path) == []


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="workers is a whole number of at least 1, got 0"):
        LocalExecutor(quick, 0)
    with pytest.raises(ValueError, match="seconds is a number above 0 or None, got 0"):
        JobLimits(seconds=0)
