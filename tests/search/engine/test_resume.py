"""A search that was cut off: it goes on as if it were not."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.search import Proposal, get_space
from nasnet_keras.search.engine.journal import JournalError
from nasnet_keras.search.executors.executor import Job
from tests.search.experiments import PNAS, Cut, InOrder, Workers, events, experiment, told
from tests.search.quick_children import quick


@pytest.mark.parametrize(("name", "longest"), [("evolution", 9), ("random", 9), ("reinforce", 28)])
def test_a_search_cut_off_anywhere_goes_on_as_if_it_were_not(
    name: str, longest: int, tmp_path: Path
) -> None:
    moments = random.Random(0)
    space = get_space("pnas", num_blocks=2)
    killed = tmp_path / "killed"
    cuts = 0
    for _ in range(100):
        search = experiment(killed, name, space)
        try:
            search.run(Workers(cut_after=moments.randint(longest // 2, longest)), 30)
            break
        except Cut:
            cuts += 1
            # A kill while writing: the journal ends in the middle of a line.
            journal = killed / "journal.jsonl"
            if cuts % 2:
                with open(journal, "ab") as file:
                    file.write(b'{"event":"asked","time":1')
    assert cuts >= 1
    numbers = [e["number"] for e in events(killed, "result")]
    assert len(set(numbers)) == len(numbers) == 30

    rewards = {e["number"]: e["reward"] for e in events(killed, "result")}
    alone = tmp_path / "alone"
    experiment(alone, name, space).run(InOrder(rewards), 30)
    assert told(alone) == told(killed)


def test_every_prefix_of_a_journal_leads_to_the_same_proposals(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    experiment(whole, space=PNAS).run(Workers(), 15)
    rewards = {e["number"]: e["reward"] for e in events(whole, "result")}
    lines = (whole / "journal.jsonl").read_bytes().splitlines(keepends=True)
    for count in range(0, len(lines), 3):
        part = tmp_path / str(count)
        part.mkdir()
        (part / "journal.jsonl").write_bytes(b"".join(lines[:count]))
        (part / "config.json").write_bytes((whole / "config.json").read_bytes())
        experiment(part, space=PNAS).run(InOrder(rewards), 15)
        assert told(part) == told(whole), f"cut after line {count}"


def test_fewer_workers_than_before_run_no_more_children_than_they_are(tmp_path: Path) -> None:
    with pytest.raises(Cut):
        experiment(tmp_path, space=PNAS).run(Workers(5, cut_after=6), 20)
    left = {e["number"] for e in events(tmp_path, "started")}
    left -= {e["number"] for e in events(tmp_path, "result")}
    assert len(left) == 5
    # This one raises where a job comes while all are busy.
    workers = Workers(2)
    state = experiment(tmp_path, space=PNAS).run(workers, 20)
    assert state.trained == 20
    numbers = [job.number for job in workers.jobs]
    assert numbers[:5] == sorted(left) and len(set(numbers)) == len(numbers)
    # What it proposed follows from the journal: it is replayed.
    (tmp_path / "snapshot.npz").unlink()
    assert experiment(tmp_path, space=PNAS).run(Workers(1), 21).trained == 21


def test_a_snapshot_saves_the_replay_and_changes_nothing(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("nasnet_keras.search.engine.experiment._SNAPSHOT_SECONDS", 0.0)
    with pytest.raises(Cut):
        experiment(tmp_path).run(Workers(cut_after=9), 15)
    search = experiment(tmp_path)
    asked: list[int] = []
    ask = search.strategy.ask

    def counted(n: int = 1) -> list[Proposal]:
        asked.append(n)
        return ask(n)

    monkeypatch.setattr(search.strategy, "ask", counted)
    with pytest.raises(Cut):
        search.run(Workers(cut_after=0), 15)
    assert asked == []
    experiment(tmp_path).run(Workers(), 15)
    (tmp_path / "snapshot.npz").write_bytes(b"broken")
    state = experiment(tmp_path).run(Workers(), 16)
    assert state.trained == 16


def test_a_snapshot_of_another_journal_is_not_used(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    experiment(one).run(Workers(), 10)
    experiment(two).run(Workers(), 12)
    (one / "snapshot.npz").write_bytes((two / "snapshot.npz").read_bytes())
    search = experiment(one)
    assert search.run(Workers(), 12).trained == 12
    assert "does not belong" in search.lines[0]  # type: ignore[attr-defined]


def test_rejected_children_change_nothing_when_a_search_is_resumed(tmp_path: Path) -> None:
    def child(job: Job) -> dict:
        return {"reward": None, "rejected": "too slow"} if job.seed % 3 else quick(job)

    space = get_space("pnas", num_blocks=2)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    experiment(whole, space=space).run(Workers(1, child), 12)
    for after in (5, 4, 3, None):
        try:
            experiment(cut, space=space).run(Workers(1, child, after), 12)
        except Cut:
            continue
    assert told(cut) == told(whole)


def test_a_journal_that_cannot_be_the_strategy_s_is_refused(tmp_path: Path) -> None:
    experiment(tmp_path).run(Workers(), 5)
    (tmp_path / "snapshot.npz").unlink()
    search = experiment(tmp_path)
    search.strategy._generator = lambda number: __import__("numpy").random.default_rng(7)
    with pytest.raises(JournalError, match=r"line \d+: .*proposes something else"):
        search.run(Workers(), 6)


@pytest.mark.parametrize("name", ["evolution", "reinforce"])
def test_a_snapshot_that_does_not_fit_is_named_and_one_of_no_numbers_passed_over(
    name: str, tmp_path: Path
) -> None:
    experiment(tmp_path, name, PNAS).run(Workers(), 8)
    before = told(tmp_path)
    snapshot = tmp_path / "snapshot.npz"
    with np.load(snapshot) as file:
        arrays = dict(file)
    arrays["array/more"] = np.array([1.0, np.nan])
    np.savez(snapshot, **arrays)
    experiment(tmp_path, name, PNAS).run(Workers(), 8)
    assert told(tmp_path) == before

    with np.load(snapshot) as file:
        arrays = dict(file)
    state = json.loads(arrays["rest"].item())
    state["state"].pop("pending")
    np.savez(snapshot, **arrays | {"rest": np.array(json.dumps(state).encode())})
    with pytest.raises(ValueError, match="snapshot.npz does not fit the search .*: remove it"):
        experiment(tmp_path, name, PNAS).run(Workers(), 9)
    snapshot.unlink()
    experiment(tmp_path, name, PNAS).run(Workers(), 9)
    assert told(tmp_path)[: len(before)] == before
