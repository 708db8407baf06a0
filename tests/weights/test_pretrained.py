"""`weights=`: the published files and files of our own."""

import dataclasses
import hashlib
import os

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.weights import catalogue, load_pretrained

h5py = pytest.importorskip("h5py")


def arrays(model):
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v)) for v in model.weights}


def unchanged(model, before):
    return all(np.array_equal(value, before[path]) for path, value in arrays(model).items())


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" in str(variable.dtype):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))


def build(classes=10, num_cells=3, include_top=True, auxiliary_head=False, **overrides):
    config = nk.NetworkConfig(
        "nasnet_a", num_cells=num_cells, filters=4, stem_filters=6, **overrides
    )
    return nk.build_network(
        config, classes, (32, 32, 3), include_top=include_top, auxiliary_head=auxiliary_head
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A small network with auxiliary head, saved in every format."""
    folder = tmp_path_factory.mktemp("saved")
    model = build(auxiliary_head=True)
    randomize(model, 0)
    model.save_weights(folder / "model.weights.h5")
    model.save(folder / "model.keras")
    return arrays(model), folder


@pytest.fixture(scope="module")
def small():
    return build()


@pytest.mark.parametrize("file", ["model.weights.h5", "model.keras"])
def test_own_files_give_their_values_and_skip_the_auxiliary_head(file, saved, small):
    values, folder = saved
    randomize(small, 1)
    report = load_pretrained(small, "small", folder / file, include_top=True)
    assert unchanged(small, values)
    assert report.parameters == small.count_params()
    assert len(report.skipped) == 12


@pytest.mark.parametrize("file", ["model.weights.h5", "model.keras"])
def test_own_files_fill_a_network_without_classifier(file, saved):
    values, folder = saved
    model = build(include_top=False)
    load_pretrained(model, "small", folder / file, include_top=False)
    assert unchanged(model, values)


@pytest.mark.parametrize("file", ["model.weights.h5", "model.keras"])
@pytest.mark.parametrize("other", [{"classes": 7}, {"num_cells": 6}, {"num_cells": 2}])
def test_own_files_of_another_network_change_nothing(file, other, saved):
    model = build(**other)
    randomize(model, 2)
    before = arrays(model)
    with pytest.raises(ValueError, match="does not fit model") as error:
        load_pretrained(model, "small", saved[1] / file)
    assert "\n" not in str(error.value)
    assert unchanged(model, before)


@pytest.mark.parametrize("file", ["model.weights.h5", "model.keras"])
def test_own_files_leave_excluded_scopes_and_the_drop_path_step(file, saved):
    values, folder = saved
    model = build(classes=7, drop_path_keep_probability=0.7, drop_path_total_steps=10)
    (step,) = [v for v in model.weights if v.path.endswith("step")]
    step.assign(4)
    before = arrays(model)
    load_pretrained(model, "small", folder / file, exclude_scopes=["final_layer"])
    for path, value in arrays(model).items():
        kept = path.startswith(("final_layer", "drop_path"))
        np.testing.assert_array_equal(value, (before if kept else values)[path])
    with pytest.raises(ValueError, match="exclude_scopes is a list of scopes, got 'final_layer'"):
        load_pretrained(model, "small", folder / file, exclude_scopes="final_layer")


@pytest.mark.parametrize("file", ["model.weights.h5", "model.keras"])
def test_own_files_cut_short_change_nothing(file, saved, small, tmp_path):
    content = (saved[1] / file).read_bytes()
    (tmp_path / file).write_bytes(content[: len(content) // 2])
    before = arrays(small)
    with pytest.raises(ValueError, match=file) as error:
        load_pretrained(small, "small", tmp_path / file)
    assert "\n" not in str(error.value)
    assert unchanged(small, before)
    with pytest.raises(FileNotFoundError, match="absent"):
        load_pretrained(small, "small", tmp_path / f"absent.{file}")


def test_any_other_path_is_a_slim_checkpoint(saved, small, tmp_path):
    pytest.importorskip("tensorflow")
    randomize(small, 3)
    values = arrays(small)
    prefix = nk.save_slim_checkpoint(small, tmp_path / "model.ckpt")
    randomize(small, 4)
    load_pretrained(small, "small", prefix)
    assert unchanged(small, values)
    headless = build(include_top=False)
    load_pretrained(headless, "small", prefix, include_top=False)
    assert unchanged(headless, values)


def test_networks_without_published_weights_name_those_that_have_them(small):
    message = "'nasnet_b_mobile'; there are of: nasnet_mobile, nasnet_large, pnasnet_mobile, pnasn"
    with pytest.raises(ValueError, match=message):
        load_pretrained(small, "nasnet_b_mobile", "imagenet")
    with pytest.raises(ValueError, match="'timm' of 'nasnet_mobile'; there are: imagenet, imagen"):
        load_pretrained(small, "nasnet_mobile", "timm")


def test_mistyped_imagenet_is_no_path():
    for build_model in (
        lambda: nk.create_model("nasnet_mobile", weights="imagnet"),
        lambda: nk.NASNetMobile(weights="ImageNet"),
    ):
        with pytest.raises(ValueError, match="unknown weights 'I?i?mag.*did you mean 'imagenet'"):
            build_model()


def test_without_network_the_error_says_which_file_to_put_where(small, tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("no route to host")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    # The only stand-in: a test must not depend on a network, nor wait for one to fail.
    monkeypatch.setattr("urllib.request.socket.create_connection", refuse)
    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    before = arrays(small)
    with pytest.raises(ConnectionError) as error:
        load_pretrained(small, "nasnet_large", "imagenet", include_top=False)
    message = str(error.value)
    assert "keras-applications/nasnet/NASNet-large-no-top.h5 (md5 d81d89dc" in message
    assert str(tmp_path / "models" / "nasnet_large_no_top.h5") in message
    assert "\n" not in message
    assert unchanged(small, before)


def test_files_in_the_cache_are_used(tmp_path, monkeypatch):
    """Files of Keras's layout under the published names, with their own hashes."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    table = []
    source = nk.create_model("nasnet_mobile", classes=1000, input_shape=(96, 96, 3))
    randomize(source, 5)
    values = arrays(source)
    for top in (True, False):
        entry = catalogue.published_weights("nasnet_mobile", "imagenet", top)
        path = tmp_path / "models" / entry.file
        path.parent.mkdir(exist_ok=True)
        with h5py.File(path, "w") as stored:
            for name, value in values.items():
                if top or not name.startswith("final_layer"):
                    layer = pretrained_layer_name(name.rpartition("/")[0])
                    stored[f"{layer}/{layer}/{name.rpartition('/')[2]}:0"] = value
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        table.append(dataclasses.replace(entry, md5=md5))
    monkeypatch.setattr(catalogue, "PUBLISHED", table)

    assert unchanged(nk.create_model("nasnet_mobile", weights="imagenet"), values)
    assert unchanged(nk.NASNetMobile((None, None, 3), include_top=False), values)

    model = nk.create_model("nasnet_mobile", classes=5, auxiliary_head=True)
    before = arrays(model)
    with pytest.raises(ValueError, match=r"exclude_scopes=\['aux_7', 'final_layer'\]"):
        load_pretrained(model, "nasnet_mobile", "imagenet")
    assert unchanged(model, before)
    load_pretrained(model, "nasnet_mobile", "imagenet", exclude_scopes=["final_layer", "aux_7"])
    for path, value in arrays(model).items():
        kept = path.startswith(("final_layer", "aux_7"))
        np.testing.assert_array_equal(value, (before if kept else values)[path])
    assert sorted(os.listdir(tmp_path / "models")) == [
        "nasnet_mobile.h5",
        "nasnet_mobile_no_top.h5",
    ]


def pretrained_layer_name(scope):
    from nasnet_keras.weights.keras_applications import keras_layer_name

    return keras_layer_name(scope, 4)
