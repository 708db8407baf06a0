"""Tables of trained cells: written from a search, read back, and what surrogates make of them."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from nasnet_keras.search import MLP, Architecture, PNASSpace, get_space
from tests.search.journals import made_up_search

ROOT = Path(__file__).resolve().parents[2]
FEW = '# settings: {"space": {"space": "pnas", "num_blocks": 1, "operations": ["identity"]}}\n'
FEW += "space,architecture,accuracy\n"


def distinct_children(space: PNASSpace, cells: list[Architecture]) -> list[Architecture]:
    return list(dict.fromkeys(map(space.canonical, space.children(cells).tolist())))


def cell_table(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "benchmarks/cell_table.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_a_table_is_the_children_of_its_runs(tmp_path: Path) -> None:
    from cells_csv import load_cells

    one = made_up_search(tmp_path / "one", 12, space=get_space("pnas", num_blocks=1))
    two = made_up_search(tmp_path / "two", 9)
    path = tmp_path / "cells.csv"
    done = cell_table(
        *(str(tmp_path / name) for name in ("one", "two", "one")),
        f"--output={path}",
        "--command=python search_architecture.py run --seed=7",
    )
    assert done.returncode == 0, done.stderr
    cells = load_cells(path)
    assert dict(zip(*cells[1], strict=True)) == dict(one)
    assert dict(zip(*cells[2], strict=True)) == dict(two)
    text = path.read_text()
    assert text.startswith("# command: python search_architecture.py run --seed=7\n")
    assert '"num_blocks": 2' in text and "cores" in text
    rows = list(csv.DictReader(li for li in text.splitlines() if not li.startswith("#")))
    assert {row["seed"] for row in rows} == {"7"}
    assert cell_table("--output=x.csv").returncode == 2


def test_spaces_of_other_operations_are_not_mixed(tmp_path: Path) -> None:
    few = get_space("pnas", num_blocks=2, operations="max_pool_3x3,separable_3x3")
    made_up_search(tmp_path / "all", 3)
    made_up_search(tmp_path / "few", 3, space=few)
    done = cell_table(*(str(tmp_path / n) for n in ("all", "few")), f"--output={tmp_path}/c.csv")
    assert done.returncode == 2
    assert "few searches a space 'pnas' with other choices" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("space,accuracy\n", "no column 'architecture'"),
        ("# note\nspace,architecture,accuracy\nnasnet,0.0.0.0,0.5\n", "line 3: a cell of space"),
        ("space,architecture,accuracy\npnas,0.0.0.9,0.5\n", "line 2: decision 'block_0/operation"),
        ("space,architecture,accuracy\npnas,0.0.0.0,50\n", r"line 2: an accuracy is in \[0, 1\]"),
        ("space,architecture,accuracy\n", "no cell"),
        (FEW + "pnas,0.0.0.0,0.5\n", "table.csv: a table of all operations is expected"),
    ],
)
def test_other_tables_are_refused(tmp_path: Path, text: str, message: str) -> None:
    from cells_csv import load_cells

    (tmp_path / "table.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        load_cells(tmp_path / "table.csv")


def test_a_surrogate_ranks_what_can_be_predicted() -> None:
    import dataclasses

    from predictors import evaluate, make_table

    one, two = PNASSpace(1), PNASSpace(2)
    cells = one.first_level()
    larger = distinct_children(two, cells[:3])[:80]

    def truth(cell) -> float:
        """The later in the list a cell's operations are, the better."""
        operations = [value for i, value in enumerate(cell) if i % 4 >= 2]
        return 0.5 + 0.05 * sum(operations) / len(operations)

    settings = dataclasses.replace(MLP, units=16, embedding_size=16, epochs=15)
    groups = [(c, [truth(cell) for cell in c]) for c in (cells, larger)]
    numbers = evaluate(settings, 2, groups[0], groups[1], trials=1, sample=100, seed=0)
    assert (numbers["cells"], numbers["held_out_cells"], numbers["larger_cells"]) == (100, 36, 80)
    assert numbers["fitted"] > 0.9 and numbers["held_out"] > 0.8 and numbers["larger"] > 0.5
    # With no cell left over and no larger one, there is nothing to tell.
    alone = evaluate(settings, 2, groups[0], None, trials=1, sample=256, seed=0)
    assert alone["held_out"] is None and alone["larger"] is None
    row = {"surrogate": "mlp", "blocks": 1, "published": (0.938, 0.113), **alone}
    assert [list(column.cells) for column in make_table([row]).columns][3:] == [
        [f"{alone['fitted']:.3f}"], ["-"], ["-"], ["0.938"], ["0.113"]
    ]  # fmt: skip


def test_the_committed_table_has_all_cells_of_one_block() -> None:
    from cells_csv import load_cells

    cells = load_cells(ROOT / "benchmarks" / "digits_cells.csv")
    one, two = PNASSpace(1), PNASSpace(2)
    assert {one.key(cell) for cell in cells[1][0]} == {one.key(c) for c in one.first_level()}
    assert len(cells[1][0]) == 136
    assert len({two.key(cell) for cell in cells[2][0]}) == len(cells[2][0]) == 100


def test_a_surrogate_takes_the_better_cells_first() -> None:
    from studies import order_of_surrogate

    one, two = PNASSpace(1), PNASSpace(2)
    larger = distinct_children(two, one.first_level()[:3])[::5]
    groups = {
        blocks: (cells, [0.5 + 0.05 * max(cell[2::4]) for cell in cells])
        for blocks, cells in ((1, one.first_level()), (2, larger))
    }
    truth = [groups[2][1][row] for row in order_of_surrogate("mlp", groups, seed=0)]
    third = len(truth) // 3
    assert sum(truth[:third]) > sum(truth[-third:])


def test_chance_is_told_from_what_cells_differ_by() -> None:
    import numpy as np
    from studies import noise

    random = np.random.default_rng(0)
    worth, chance = random.normal(80, 5, (4000, 1)), random.normal(0, 2, (4000, 3))
    values = [row["value"] for row in noise(worth + chance)]
    expected = [2, 2, 29**0.5, 25 / 29]
    assert values[:4] == [pytest.approx(x, rel=0.05) for x in expected]
    # Who is first was lucky, too.
    assert values[5] > values[6] + 1


def test_children_of_other_settings_are_not_trained_again(tmp_path: Path) -> None:
    made_up_search(tmp_path / "search", 12)
    done = subprocess.run(
        [
            *(sys.executable, "benchmarks/cell_noise.py", str(tmp_path / "search")),
            *(f"--output={tmp_path / 'seeds.csv'}", "--count=10"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "children of other settings" in done.stderr, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["search"]
