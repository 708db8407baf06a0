"""How many children a strategy saves, on a table of cells whose accuracies are made up."""

import json
from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.search import PNASSpace

SPACE = PNASSpace(2, operations="max_pool_3x3,separable_3x3")
SETTINGS = json.dumps({"space": SPACE.config()})


def accuracy(cell: tuple[int, ...]) -> float:
    """Better with separable convolutions, of the cell's own input most of all."""
    halves = [(cell[i + j], cell[i + 2 + j]) for i in range(0, len(cell), 4) for j in (0, 1)]
    good = [operation * (2 if source == 0 else 1) for source, operation in halves]
    return 0.3 + 0.3 * sum(good) / len(good)


def write_table(path: Path) -> None:
    first = SPACE.first_level()
    cells = dict.fromkeys(map(SPACE.canonical, [*first, *SPACE.children(first).tolist()]))
    lines = [f"# settings: {SETTINGS}", "space,architecture,accuracy,multiply_adds"]
    for cell in cells:
        # As many as there are convolutions, one more for each block.
        work = sum(1 + cell[i + 2] + cell[i + 3] for i in range(0, len(cell), 4))
        lines.append(f"pnas,{SPACE.key(cell)},{accuracy(cell)},{work}")
    path.write_text("\n".join(lines) + "\n")


def test_cells_of_every_size_are_looked_up(tmp_path: Path) -> None:
    from lookup import read_known_space

    write_table(tmp_path / "cells.csv")
    known = read_known_space(tmp_path / "cells.csv")
    assert known.space.config() == SPACE.config()
    assert len(known.canonical) == 16 + 16 * 36
    assert len(known.accuracies) == len(known.multiply_adds) == 175
    for cell, form in known.canonical.items():
        assert known.accuracies[form] == pytest.approx(accuracy(cell))
    text = (tmp_path / "cells.csv").read_text().splitlines()
    (tmp_path / "less.csv").write_text("\n".join(text[:-2]))
    with pytest.raises(ValueError, match="less.csv: 2 of 175 networks are missing"):
        read_known_space(tmp_path / "less.csv")


def test_what_another_needs_is_counted_in_children() -> None:
    from search_efficiency import children_needed, estimate

    theirs = np.array([[0.1, 0.2, 0.3, 0.5, 0.5], [0.3, 0.4, 0.5, 0.5, 0.5]])
    ours = np.array([[0.2, 0.6, 0.6, 0.6, 0.6], [0.2, 0.4, 0.6, 0.6, 0.6]])
    # The baseline has its 0.5 after four, the other one after two.
    assert children_needed(theirs, ours, 1) == (4, 2)
    # With fewer than three children there are no best three.
    assert children_needed(theirs, ours, 3) == (4, 3)
    assert children_needed(ours, theirs, 1) == (3, np.inf)
    values = np.array([2.0, *range(1, 40), np.inf])
    assert estimate(values) == {"value": 2.0, "low": 2.0, "high": 39.0}
    assert estimate(np.array([1.0, 2.0, np.inf]))["high"] is None


def test_images_count_what_is_trained_again() -> None:
    from search_efficiency import images

    # As in the paper's table 2: 250 of 20,000 children again, 15 times as long.
    for children, ratio in ((5808, 8.2), (4100, 6.8), (3654, 6.4)):
        ours = images("progressive", 1160, 20_000)
        assert images("ppo", children, 20_000) / ours == pytest.approx(ratio, abs=0.05)


def test_the_study_finds_who_is_faster(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    import search_efficiency
    from absl import flags

    small = {"members": 1, "units": 16, "embedding_size": 16, "epochs": 30, "batch_size": 5}
    monkeypatch.setitem(search_efficiency.VARIANTS, "progressive", ("progressive", small))
    monkeypatch.setattr(search_efficiency, "RESAMPLES", 100)
    write_table(tmp_path / "cells.csv")
    flags.FLAGS(
        ["search_efficiency.py", f"--table={tmp_path}/cells.csv", "--seeds=2", "--children=90"]
        + ["--strategies=progressive,evolution-small", f"--output={tmp_path}/e.json"]
        + [f"--plot={tmp_path}/e.png"]
    )
    search_efficiency.main([])
    rows = json.loads((tmp_path / "e.json").read_text())["rows"]
    assert [(row["strategy"], row["top"]) for row in rows] == [
        (name, top) for top in (1, 5, 25) for name in ("progressive", "evolution-small")
    ]
    for row in rows:
        assert row["baseline"] == "random" and row["budget"] == 90
    # Cells of one block show which operation is the good one.
    (ours,) = (row for row in rows if (row["strategy"], row["top"]) == ("progressive", 25))
    assert ours["children_ratio"]["low"] > 1
    assert ours["images_ratio"] > ours["children_ratio"]["value"]
    assert ours["multiply_adds_ratio"] > 0
    lines = [[cell.strip() for cell in li.split("|")] for li in capsys.readouterr().out.split("\n")]
    assert ["random, 90", "progressive", "25"] in [cells[1:4] for cells in lines]
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["progressive", "random"])
def test_only_cells_that_grow_are_searched_progressively(kind: str) -> None:
    from known_space import KnownSpace
    from search_efficiency import VARIANTS, able

    from nasnet_keras.search import CategoricalSpace

    other = KnownSpace(CategoricalSpace("t", {"a": (1, 2)}), {}, {})
    kinds = {VARIANTS[name][0] for name in able(other)}
    assert (kind in kinds) == (kind != "progressive")
    assert kind in {VARIANTS[name][0] for name in able(KnownSpace(SPACE, {}, {}))}
