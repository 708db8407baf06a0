"""A search ends when its time is up, all calls together."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nasnet_keras.search.engine import clock
from tests.search.experiments import Cut, Workers, events, experiment, told


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the clock reads."""
    seconds = [1000.0]
    monkeypatch.setattr(clock, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    return seconds


class Slow(Workers):
    """Workers on which an outcome takes a quarter of an hour."""

    def __init__(self, now: list[float], cut_after: int | None = None) -> None:
        super().__init__(1, cut_after=cut_after)
        self.now_in_process = now

    def wait(self, timeout: float) -> list:
        self.now_in_process[0] += 900
        return super().wait(timeout)


def spent(directory: Path) -> float:
    return json.loads((directory / "clock.json").read_text())["seconds"]


def test_time_of_all_calls_counts_and_nothing_is_lost(tmp_path: Path, now: list[float]) -> None:
    search = experiment(tmp_path / "whole")
    search.run(Workers(1), budget=8)
    whole = told(tmp_path / "whole")

    directory = tmp_path / "parts"
    search = experiment(directory)
    state = search.run(Slow(now), budget=8, max_hours=1)
    assert (state.done, state.running) == (4, 1)
    assert search.lines == [
        "stopped after 1 h 0 min, as max_hours says, with 4 children done; a larger max_hours "
        "goes on"
    ]
    assert spent(directory) == 3600

    # ---- The hour is over, also for a later call.
    search = experiment(directory)
    workers = Slow(now)
    assert search.run(workers, budget=8, max_hours=1).done == 4
    assert workers.jobs == [] and "stopped after 1 h" in search.lines[0]

    search = experiment(directory)
    assert search.run(Slow(now), budget=8, max_hours=3).done == 8
    assert search.lines == []
    assert told(directory) == whole
    assert spent(directory) == 2 * 3600


def test_time_before_a_kill_counts(tmp_path: Path, now: list[float]) -> None:
    with pytest.raises(Cut):
        experiment(tmp_path).run(Slow(now, cut_after=2), budget=8)
    assert spent(tmp_path) == 3 * 900
    state = experiment(tmp_path).run(Slow(now), budget=8, max_hours=1)
    assert (state.done, spent(tmp_path)) == (3, 3600)


def test_time_of_a_search_without_a_clock_is_in_its_journal(tmp_path: Path) -> None:
    experiment(tmp_path).run(Workers(1), budget=3)
    (tmp_path / "clock.json").unlink()
    began, *_, ended = events(tmp_path)
    search = experiment(tmp_path)
    search.run(Workers(1), budget=3)
    assert search.state.earlier_seconds == pytest.approx(ended["time"] - began["time"])
    assert spent(tmp_path) >= search.state.earlier_seconds


@pytest.mark.parametrize("hours", [0, -1, float("nan"), float("inf")])
def test_hours_are_a_number_above_0(tmp_path: Path, hours: float) -> None:
    with pytest.raises(ValueError, match="max_hours is a number above 0"):
        experiment(tmp_path).run(Workers(1), max_hours=hours)
    assert not (tmp_path / "journal.jsonl").exists()


def test_a_damaged_clock_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "clock.json").write_text('{"seconds": -1}')
    with pytest.raises(ValueError, match="clock.json is not the clock of a search: seconds is"):
        experiment(tmp_path).run(Workers(1), budget=1)
