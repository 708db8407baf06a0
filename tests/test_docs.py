"""The Python in the documentation runs as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
BLOCKS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in ("README.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")))
    for number, block in enumerate(PYTHON.findall((ROOT / page).read_text()))
]


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_python_blocks_run(page: str, block: str, tmp_path: Path, monkeypatch) -> None:
    import nasnet_keras as nk

    monkeypatch.chdir(tmp_path)
    names = {"nk": nk, "model": nk.create_model("nasnet_mobile", input_shape=(None, None, 3))}
    nk.get_genotype("nasnet_a").save("my_cell.json")
    if '"model.ckpt"' in block:
        pytest.importorskip("tensorflow")
        trained = nk.create_model("nasnet_mobile", auxiliary_head=True)
        averages = {weight.path: weight for weight in trained.trainable_weights}
        nk.save_slim_checkpoint(trained, "model.ckpt", moving_averages=averages)
    # Published weights need a network.
    block = block.replace('weights="imagenet"', "weights=None")
    exec(compile(block, page, "exec"), names)


def test_the_fine_tuning_command_names_scopes_that_are_there() -> None:
    import nasnet_keras as nk
    from nasnet_keras.classification import get_recipe
    from nasnet_keras.training.fine_tuning import set_trainable
    from nasnet_keras.weights.assign import check_scopes

    text = (ROOT / "docs/training.md").read_text().partition("## Fine-tuning\n")[2]
    recipe = get_recipe(re.search(r"--recipe=(\w+)", text)[1])
    excluded = re.search(r"--checkpoint_exclude_scopes=(\S+)", text)[1].split(",")
    model = nk.create_model(recipe.model_name, auxiliary_head=True)
    check_scopes(excluded, [weight.path for weight in model.weights])
    set_trainable(model, re.search(r"--trainable_scopes=(\S+)", text)[1].split(","))
    assert 0 < len(model.trainable_weights) < len(model.weights) / 2


PAGES = [
    page.relative_to(ROOT) for page in sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/*.md"))
]


def anchors(page: Path) -> set[str]:
    """Returns the anchors that a forge gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text()
    assert not re.search(r"\b[A-Z]+_BLOCK\b", text)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        path, _, anchor = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(linked.relative_to(ROOT)), target


def test_the_code_map_names_what_is_there() -> None:
    text = (ROOT / "docs/code_map.md").read_text()
    named = {name for name in re.findall(r"`([\w/]+(?:\.py|/))`", text) if "/" in name.strip("/")}
    assert len(named) > 50
    missing = [
        name
        for name in named
        if not any((ROOT / at / name).exists() for at in ("", "nasnet_keras"))
    ]
    assert not missing


def test_the_makefile_names_tests_that_are_there() -> None:
    text = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"tests/[\w/]+(?:\.py)?", text))
    assert len(named) > 10 and not [name for name in named if not (ROOT / name).exists()]


def test_the_committed_counts_are_what_the_library_counts() -> None:
    import nasnet_keras as nk

    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs/results.md").read_text().splitlines()
        if line.startswith(tuple(f"| {name} " for name in nk.list_models()))
    ]
    counted = {row[0]: row for row in rows if len(row) > 8}
    assert list(counted) == nk.list_models()
    for name, row in counted.items():
        classes = 1000 if nk.get_preset(name).is_imagenet else 10
        assert row[2] == f"{nk.count_parameters(name, classes, trainable_only=True):,}"
        assert row[3] == f"{nk.count_parameters(name, classes):,}"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("CITATION.cff", r"^version: (.*)$"),
        ("pyproject.toml", r'^version = "(.*)"$'),
        ("CHANGELOG.md", r"^## \[(.*?)\]"),
    ],
)
def test_every_file_names_this_version(file: str, line: str) -> None:
    import nasnet_keras as nk

    found = re.search(line, (ROOT / file).read_text(), re.MULTILINE)
    assert found and found[1] == nk.__version__
