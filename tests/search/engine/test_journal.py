"""The journal: what is written comes back, and damage does not go unnoticed."""

import tracemalloc
from pathlib import Path

import pytest

from nasnet_keras.search.engine.journal import Journal, JournalError, read_journal


def written(path: Path, count: int = 5) -> list[dict]:
    with Journal(path) as journal:
        return [journal.append("asked", number=i, architecture=[i, 2]) for i in range(count)]


def read(path: Path) -> list[dict]:
    return [event for event, _ in read_journal(path)]


def test_events_come_back_as_they_were_written(tmp_path: Path) -> None:
    events = written(tmp_path / "journal")
    assert read(tmp_path / "journal") == events
    assert events[3]["number"] == 3 and events[3]["event"] == "asked"


def test_nothing_is_on_disk_before_a_flush_and_all_is_after(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal:
        journal.append("asked", number=0)
        assert read(tmp_path / "journal") == []
        journal.flush()
        assert len(read(tmp_path / "journal")) == 1


def test_a_missing_journal_has_no_events(tmp_path: Path) -> None:
    assert read(tmp_path / "journal") == []


def test_a_last_line_cut_anywhere_is_dropped_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    events = written(path)
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for cut in range(1, last):
        path.write_bytes(whole[:-cut])
        places = list(read_journal(path))
        assert [event for event, _ in places] == events[:-1]
    with Journal(path, places[-1][1]) as journal:
        added = journal.append("result", number=9)
    assert read(path) == [*events[:-1], added]


@pytest.mark.parametrize("damage", ["digit", "missing", "swapped", "twice", "text", "zeros"])
def test_damage_is_an_error_with_the_number_of_the_line(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal"
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    if damage == "digit":
        lines[2] = lines[2].replace(b"[2,2]", b"[2,3]")
    elif damage == "missing":
        del lines[2]
    elif damage == "swapped":
        lines[2], lines[3] = lines[3], lines[2]
    elif damage == "twice":
        lines.insert(2, lines[1])
    elif damage == "text":
        lines[2] = b"hello\n"
    else:
        lines[2] = b"\0" * (len(lines[2]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match="line 3 "):
        read(path)


def test_damage_to_the_last_line_is_not_taken_for_a_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    written(path)
    path.write_bytes(path.read_bytes().replace(b"[4,2]", b"[4,3]"))
    with pytest.raises(JournalError, match="line 5 "):
        read(path)


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal") as journal, pytest.raises(ValueError, match="JSON"):
        journal.append("result", reward=float("nan"))


def test_reading_needs_no_more_memory_for_more_events(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / str(count)
        written(path, count)
        tracemalloc.start()
        assert sum(1 for _ in read_journal(path)) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(5_000) < peak(500) + 50_000
