"""The tutorial's notebook runs from top to bottom, with a small network and few pictures."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.layers.batch_normalization import batch_norms
from tests.one_block_cells import GENOTYPE

ROOT = Path(__file__).parent.parent
NOTEBOOK = json.loads((ROOT / "docs/tutorial.ipynb").read_text())
CODE = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
SMALL = {
    "size = 224": "size = 72",
    'weights = "imagenet_slim"': "weights = None",
    "network = {}": 'network = {"genotype": GENOTYPE, "num_cells": 3, "filters": 12}',
    "epochs = 5": "epochs = 1",
    "batch_size = 32": "batch_size = 8",
    "range(40)": "range(10)",
}


def test_notebook_is_stored_without_output_and_says_what_follows():
    assert NOTEBOOK["nbformat"] == 4
    for cell in NOTEBOOK["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None


def test_links_of_the_notebook_lead_to_headings_that_are_there():
    text = "".join("".join(cell["source"]) for cell in NOTEBOOK["cells"])
    links = re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", text)
    assert len(links) > 5
    for page, anchor in links:
        headings = re.findall(r"^#+ (.*)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
        assert not anchor or anchor in anchors, (page, anchor)


def as_if_trained(create_model):
    """Returns a `create_model` whose batch normalizations have seen images; the rest is random."""

    def create(*arguments, **options):
        model = create_model(*arguments, **options)
        images = np.random.default_rng(0).uniform(-1, 1, (8, *model.input_shape[1:]))
        momenta = {layer: layer.momentum for layer in batch_norms(model)}
        for layer in momenta:
            layer.momentum = 0.0
        model(images, training=True)
        for layer, momentum in momenta.items():
            layer.momentum = momentum
        return model

    return create


@pytest.mark.tensorflow
def test_notebook_trains_scores_exports_and_answers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = "\n\n".join(CODE)
    for normal, small in SMALL.items():
        assert code.count(normal) == 1, normal
        code = code.replace(normal, small)
    monkeypatch.setattr(nk, "create_model", as_if_trained(nk.create_model), raising=False)
    names = {"GENOTYPE": GENOTYPE}
    exec(compile(code, "docs/tutorial.ipynb", "exec"), names)
    assert (tmp_path / "runs/own/best.keras").exists()
    results = json.loads((tmp_path / "runs/own/test/results.json").read_text())
    assert results["images"] == 3 and set(names["answer"].names) == {"circle", "square", "triangle"}
    # The file answers as the network does.
    expected = names["load_predictor"](tmp_path / "runs/own").predict(names["files"][0])
    assert names["answer"].names == expected.names
    assert names["answer"].scores == pytest.approx(expected.scores, abs=1e-4)
