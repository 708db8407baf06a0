"""A run's configuration holds what was trained, and a damaged one is one line."""

import contextlib
import json
import re

import numpy as np
import pytest

from nasnet_keras.classification import get_recipe, trainer
from nasnet_keras.classification.run_config import RunConfig
from nasnet_keras.search import get_space
from nasnet_keras.training.run_directory import read_config

TINY = get_recipe("digits").override(
    num_cells=2, filters=2, stem_filters=4, batch_size=256, epochs=2
)


def test_a_run_knows_its_cells_and_not_their_file(tmp_path, capsys) -> None:
    cells = get_space("pnas", num_blocks=1)
    path = tmp_path / "cell.json"
    first, other = (cells.decode(cells.sample(np.random.default_rng(seed))) for seed in (0, 1))
    first.save(path)
    recipe = TINY.override(genotype=str(path), max_number_of_steps=2)
    trainer.train(recipe, tmp_path / "run")
    # The same cells, wherever their file is now.
    path.rename(tmp_path / "moved.json")
    trainer.train(recipe.override(genotype=str(tmp_path / "moved.json")), tmp_path / "run")
    # Other cells in the file of that name.
    other.save(path)
    with pytest.raises(ValueError, match="other settings \\(genotype "):
        trainer.train(recipe, tmp_path / "run")
    # A run of before had the file's name only.
    first.save(path)
    other.save(tmp_path / "moved.json")
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["recipe"]["genotype"] == first.to_dict()
    for name, fits in ((tmp_path / "moved.json", False), (path, True), ("gone/cell.json", True)):
        config["recipe"]["genotype"] = str(name)
        (tmp_path / "run/config.json").write_text(json.dumps(config))
        expected = contextlib.nullcontext() if fits else pytest.raises(ValueError, match="genotype")
        with expected:
            trainer.train(recipe, tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("[1]", r"is an object of settings, got \[1\]"),
        ('{"replicas": Infinity}', "Infinity is not a number"),
        ('{"replicas": 2}', "setting 'recipe' is missing"),
        (json.dumps({"recipe": {}, "class_names": []}), "recipe: recipe setting 'name' is missing"),
        (
            json.dumps({"recipe": TINY.to_dict(), "class_names": ["a"], "replicas": 1e400}),
            "Infinity",
        ),
        (json.dumps({"recipe": TINY.to_dict(), "class_names": "ab"}), "class_names is texts"),
    ],
)
def test_a_damaged_configuration_is_one_line(text: str, message: str, tmp_path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match="is not the configuration of a classifier's run") as error:
        read_config(RunConfig, tmp_path)
    said = str(error.value)
    assert "\n" not in said and len(said) < 300
    assert message in said or re.search(message, said)
