import json
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.detection import load_trained_detector
from nasnet_keras.serving import load_predictor
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from tests.publishing import hub_server

huggingface_hub = pytest.importorskip("huggingface_hub")
SAVED = Path(__file__).parents[1] / "saved"
NETWORK = {"config.json", "metadata.json", "model.weights.h5"}


@pytest.fixture
def hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    with hub_server.serve() as server:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, server.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
        yield server


@pytest.fixture(scope="module")
def network():
    return nk.create_model("nasnet_cifar", classes=3, num_cells=2, filters=2, stem_filters=4)


def values(model):
    return {each.path: keras.ops.convert_to_numpy(each) for each in model.weights}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        np.testing.assert_array_equal(found[path], value, err_msg=path)


def test_a_classifier_comes_back_from_the_hub_with_its_averages_and_names(hub, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(SAVED / "classifier_run", run)
    scores = {"dataset": "digits", "split": "test", "images": 100, "accuracy": 0.97}
    (run / "results.json").write_text(json.dumps({**scores, "top_5_accuracy": 1.0}))
    (run / "confusion.png").write_bytes(b"a picture")
    url = nk.push_to_hub(run, "owner/digits", license="mit", private=True, message="First")
    assert url == f"{hub.url}/owner/digits" and hub.private == {"owner/digits"}
    files = hub.repositories["owner/digits"]
    names = {*NETWORK, "README.md", "nasnet_keras.json", "confusion.png"}
    assert set(files) == names and hub.commits == [("First", "owner/digits", sorted(names))]

    trained = load_trained_model(run)
    averages = averaged_weights(nk.load_model(run / "model.keras"))
    model = nk.load_model("hf://owner/digits")
    assert averages and not model.compiled
    assert_same(values(model), values(trained.model) | averages)
    # As anyone with Keras reads it.
    assert_same(values(keras.saving.load_model("hf://owner/digits")), values(trained.model))
    again = load_trained_model("hf://owner/digits")
    assert again.class_names == trained.class_names and again.image_size == 8
    assert (again.dataset_name, again.preprocessing_name) == ("digits", trained.preprocessing_name)

    card = huggingface_hub.ModelCard(files["README.md"].decode())
    assert card.data.license == "mit" and card.data.pipeline_tag == "image-classification"
    (accuracy, _) = card.data.eval_results
    assert (accuracy.dataset_name, accuracy.dataset_split) == ("digits", "test")
    assert (accuracy.metric_type, accuracy.metric_value) == ("accuracy", 0.97)
    for text in (
        "--model=hf://owner/digits",
        'nk.load_model("hf://owner/digits")',
        "test of digits (100 images)",
        "| top-1 accuracy | 97.00% |",
        "![What was taken for what](confusion.png)",
        r"| moving\_average\_decay | 0.9999 |",
        "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
    ):
        assert text in card.text, text


def test_a_detector_comes_back_from_the_hub_with_its_names(hub, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(SAVED / "detector_run", run)
    shutil.copy(run / "model.keras", run / "best.keras")
    # The last detector was not the best one.
    (run / "metrics.json").write_text(json.dumps({"dataset": "toy", "split": "val", "AP": 0.1}))
    with (run / "metrics.jsonl").open("a") as log:
        for epoch, ap in ((2, 0.25), (3, 0.1)):
            log.write(f'{{"epoch": {epoch}, "step": {6 * epoch}, "evaluation_AP": {ap}}}\n')
    nk.push_to_hub(str(run), "hf://owner/toy")
    expected, found = load_trained_detector(run), load_trained_detector("hf://owner/toy")
    assert_same(values(found.model), values(expected.model))
    assert found.class_names == expected.class_names and found.config == expected.config
    assert load_predictor("hf://owner/toy").is_detector
    card = huggingface_hub.ModelCard(hub.repositories["owner/toy"]["README.md"].decode())
    assert card.data.pipeline_tag == "object-detection" and card.data.license is None
    assert [result.metric_value for result in card.data.eval_results] == [0.25]
    assert "--checkpoint_path=hf://owner/toy" in card.text and "Not stated" in card.text


def test_names_of_others_are_text_in_the_card(hub, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(SAVED / "classifier_run", run)
    config = json.loads((run / "config.json").read_text())
    config["class_names"][0] = "<script>|](http://elsewhere)\n# *none*"
    config["recipe"]["checkpoint_path"] = "/home/somebody/secret/start.keras"
    (run / "config.json").write_text(json.dumps(config))
    nk.push_to_hub(run, "owner/odd")
    text = hub.repositories["owner/odd"]["README.md"].decode()
    assert r"&lt;script&gt;\|\]\(http://elsewhere\) \# \*none\*, 1, 2" in text
    assert not any(b"somebody" in content for content in hub.repositories["owner/odd"].values())
    assert load_trained_model("hf://owner/odd").class_names[0] == config["class_names"][0]


def test_a_run_uploaded_as_it_is_loads_too(hub):
    folder = SAVED / "classifier_run"
    names = ("config.json", "model.keras")
    hub.repositories["owner/run"] = {name: (folder / name).read_bytes() for name in names}
    found, expected = load_trained_model("hf://owner/run"), load_trained_model(folder)
    assert found.class_names == expected.class_names and found.image_size == 8
    assert_same(values(found.model), values(expected.model))


def test_a_network_needs_no_run_and_once_downloaded_no_hub(hub, network, monkeypatch):
    nk.push_to_hub(network, "owner/kept")
    assert set(hub.repositories["owner/kept"]) == {*NETWORK, "README.md"}
    hub.repositories["owner/kept"]["huge.bin"] = bytes(1000)
    assert_same(values(nk.load_model("hf://owner/kept")), values(network))
    assert not any("huge.bin" in request for request in hub.requests)
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert_same(values(nk.load_model("hf://owner/kept")), values(network))
    with pytest.raises(ConnectionError, match=r"^hf://owner/other: http://127.0.0.1:9 cannot be r"):
        nk.load_model("hf://owner/other")
    with pytest.raises(ConnectionError, match=r"^hf://owner/other: http://127.0.0.1:9 cannot be r"):
        nk.push_to_hub(network, "owner/other")


def test_what_cannot_be_downloaded_is_said_in_one_line(hub, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such repository at http://127.0.0.1") as error:
        nk.load_model("hf://owner/nothing")
    assert error.value.filename == "hf://owner/nothing"
    for address in ("hf://", "hf://owner", "hf://owner/name/more", "hf://owner/na me"):
        with pytest.raises(ValueError, match="a repository on the Hugging Face Hub is 'owner/"):
            nk.load_model(address)
    hub.repositories["owner/empty"] = {"README.md": b"text"}
    with pytest.raises(ValueError, match="hf://owner/empty has no network of Keras: neither conf"):
        load_trained_model("hf://owner/empty")
    # Pickled weights are not even fetched.
    hub.repositories["owner/odd"] = {"config.json": b"{}", "model.weights.npz": b"\x80\x04."}
    with pytest.raises(ValueError, match="hf://owner/odd has no network of Keras"):
        nk.load_model("hf://owner/odd")
    assert not any("npz" in request for request in hub.requests)
    code = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    code.save(tmp_path / "code", zipped=False)
    hub.repositories["owner/code"] = {
        name: (tmp_path / "code" / name).read_bytes() for name in NETWORK
    }
    with pytest.raises(ValueError, match="cannot be read as a network: .*unsafe"):
        nk.load_model("hf://owner/code")


def test_what_cannot_be_sent_is_said_in_one_line_and_not_sent(hub, network, monkeypatch, tmp_path):
    with pytest.raises(FileNotFoundError, match="no such trained network"):
        nk.push_to_hub(tmp_path, "owner/name")
    with pytest.raises(ValueError, match=r"expected a run directory, .*, got 3"):
        nk.push_to_hub(3, "owner/name")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="is not a network of nasnet_keras"):
        nk.push_to_hub(keras.Sequential([keras.Input((2, 2, 3))]), "owner/name")
    with pytest.raises(ValueError, match="is 'owner/name', in letters"):
        nk.push_to_hub(network, "name")
    assert not hub.requests
    with pytest.raises(PermissionError, match="does not allow it .403.: log in by `hf auth login`"):
        nk.push_to_hub(network, "stranger/name")
    monkeypatch.setenv("HF_TOKEN", "hf_of_nobody")
    with pytest.raises(OSError, match="hf auth login"):
        nk.push_to_hub(network, "owner/name")
    assert not hub.repositories
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for use in (nk.load_model, lambda address: nk.push_to_hub(network, address)):
        with pytest.raises(ValueError, match=r"pip install 'nasnet-keras\[hub\]'"):
            use("hf://owner/name")
