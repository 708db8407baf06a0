"""The Python in the documentation runs as it stands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
BLOCKS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in ("README.md", "docs/models.md", "docs/data.md")
    for number, block in enumerate(PYTHON.findall((ROOT / page).read_text()))
]


@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_python_blocks_run(page: str, block: str, tmp_path: Path, monkeypatch) -> None:
    import nasnet_keras as nk

    monkeypatch.chdir(tmp_path)
    names = {"nk": nk, "model": nk.create_model("nasnet_mobile", input_shape=(None, None, 3))}
    nk.get_genotype("nasnet_a").save("my_cell.json")
    # Published weights need a network.
    block = block.replace('weights="imagenet"', "weights=None")
    exec(compile(block, page, "exec"), names)
