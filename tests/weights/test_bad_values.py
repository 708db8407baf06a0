"""Files with what is no weight, or far too much of it, are refused and change nothing."""

import io
import json
import os
import tempfile
import zipfile

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.training.checkpoint import restore_checkpoint, save_checkpoint
from nasnet_keras.weights import load_pretrained
from nasnet_keras.weights.keras_archive import check_keras_file, read_json_member

h5py = pytest.importorskip("h5py")

KERNEL = "layers/conv2d/vars/0"  # The stem's convolution, of 3 x 3 x 3 x 4.
PATH = "l1_stem_3x3/kernel"


def arrays(model):
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v)) for v in model.variables}


def unchanged(model, before):
    return all(np.array_equal(value, before[path]) for path, value in arrays(model).items())


def spoiled(values):
    """Returns the kernel with three numbers that are not finite."""
    values = values.copy()
    values[0, 0, 0, :2], values[1, 1, 1, 3] = np.nan, -np.inf
    return values


VALUES = {
    "finite": (spoiled, rf"not finite .*: {PATH} \(3 of 108\)"),
    "too large": (lambda v: v.astype("float64") + 1e300, rf"not finite .*: {PATH} \(108 of 108\)"),
    "text": (
        lambda v: v.astype("S8"),
        r"holds \|S8 values at 'layers/conv2d/vars/0', which",
    ),
    "objects": (lambda v: np.full(v.shape, "text", h5py.string_dtype()), "holds object values at"),
    "complex": (lambda v: v + 1j, "holds complex64 values at"),
    "truth": (lambda v: v > 0, "holds bool values at"),
    "nothing": (lambda v: h5py.Empty("float32"), "holds nothing at"),
    "shape": (lambda v: v[:2], "."),
}


def rewrite(file, change):
    """Changes the kernel in an HDF5 file."""
    with h5py.File(file, "a") as opened:
        values = opened[KERNEL][()]
        del opened[KERNEL]
        opened[KERNEL] = change(values)


def rewrite_archive(path, change):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO(members["model.weights.h5"])
    rewrite(content, change)
    members["model.weights.h5"] = content.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)


@pytest.fixture(scope="module")
def model():
    model = nk.create_model("nasnet_cifar", num_cells=2, filters=2, stem_filters=4)
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


@pytest.mark.parametrize("kind", VALUES)
def test_bad_values_in_weights_are_named_and_change_nothing(kind, model, tmp_path):
    change, message = VALUES[kind]
    before = arrays(model)
    path = tmp_path / "model.weights.h5"
    model.save_weights(path)
    rewrite(path, change)
    with pytest.raises(ValueError, match=message) as error:
        load_pretrained(model, "small", path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert unchanged(model, before)


@pytest.mark.parametrize("kind", ["finite", "text", "complex", "shape"])
def test_bad_values_in_a_saved_network_are_named(kind, model, tmp_path):
    change, message = VALUES[kind]
    path = tmp_path / "model.keras"
    save_checkpoint(model, path, step=3)
    rewrite_archive(path, change)
    before = arrays(model)
    for load in (
        nk.load_model,
        lambda path: load_pretrained(model, "small", path),
        lambda path: restore_checkpoint(model, path),
    ):
        with pytest.raises(ValueError, match=message) as error:
            load(path)
        assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert unchanged(model, before)


def test_bad_numbers_in_a_slim_checkpoint_are_named(model, tmp_path):
    pytest.importorskip("tensorflow")
    before = arrays(model)
    model.get_layer("l1_stem_3x3").kernel.assign(spoiled(before[PATH]))
    prefix = nk.save_slim_checkpoint(model, tmp_path / "model.ckpt")
    model.get_layer("l1_stem_3x3").kernel.assign(before[PATH])
    with pytest.raises(ValueError, match=r"not finite .*: l1_stem_3x3/weights \(3 of 108\)"):
        nk.load_slim_checkpoint(model, prefix)
    assert unchanged(model, before)


def test_bad_numbers_in_a_legacy_file_are_named(model, tmp_path):
    path = tmp_path / "applications.h5"
    variables = arrays(model)
    with h5py.File(path, "w") as file:
        file["conv/conv/kernel:0"] = np.full((3, 3), 1j)
    with pytest.raises(ValueError, match="holds complex128 values at 'conv/conv/kernel:0'"):
        load_pretrained(model, "small", path)
    assert unchanged(model, variables)


def test_bad_optimizer_and_training_states_are_named(model, tmp_path):
    path = tmp_path / "model.keras"
    (slot, *_) = [v for v in model.optimizer.variables if "momentum" in v.path]
    slot.assign(np.full(slot.shape, np.inf))
    save_checkpoint(model, path, step=3)
    slot.assign(np.zeros(slot.shape))
    with pytest.raises(ValueError, match=r"not finite .*momentum \(108 of 108\)"):
        restore_checkpoint(model, path)
    assert not np.asarray(keras.ops.convert_to_numpy(slot)).any()
    for text in (
        '{"step": 1.5, "seeds": [], "metrics": []}',
        '{"step": 1, "metrics": [NaN]}',
        "[]",
    ):
        model.save(path)
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("training_state.json", text)
        with pytest.raises(ValueError, match="is not a complete checkpoint"):
            restore_checkpoint(model, path)


# What would fill the memory or the disk.


def test_little_that_unpacks_to_much_is_refused_before_it_is_unpacked(model, tmp_path):
    path = tmp_path / "zeros.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}")
        with archive.open("model.weights.h5", "w") as member:
            for _ in range(40):
                member.write(bytes(8 << 20))
    for load in (nk.load_model, lambda path: restore_checkpoint(model, path)):
        with pytest.raises(
            ValueError, match=r"has \d{3},\d{3} bytes and unpacks to 335,544,322; at"
        ):
            load(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(ValueError, match="packed in a way that Keras does not"):
        check_keras_file(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "[" * (17 << 20))
    with pytest.raises(ValueError, match="config.json has more than the 16,777,216 bytes"):
        check_keras_file(path)


@pytest.mark.parametrize("name", ["config.json/x", "b/" + "c" * 300, "é" * 200])
def test_members_that_cannot_be_unpacked_are_refused_and_nothing_is_left(
    name, model, tmp_path, monkeypatch
):
    path = tmp_path / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"1")
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(ValueError, match="has a member that cannot be unpacked") as caught:
        nk.load_model(path)
    assert len(str(caught.value)) < 400 and not any((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"filters": 10**9}, r"a layer has filters=1000000000, at most 8,192 fit its weights"),
        ({"units": 10**5}, r"a layer has units=100000, at most"),
        ({"genotype": {"blocks": [0] * 20_000}}, "its cells have 20,020 blocks, at most 10,000"),
    ],
)
def test_layers_wider_than_the_weights_are_refused_before_they_are_made(
    layer, message, model, tmp_path
):
    path = tmp_path / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["config"]["layers"][-1]["config"] |= layer
    members["config.json"] = json.dumps(config)
    with zipfile.ZipFile(path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    with pytest.raises(ValueError, match=message):
        nk.load_model(path)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_arrays_declared_far_larger_than_stored_are_refused_unread(suffix, model, tmp_path):
    path = tmp_path / f"model{suffix}"
    content = tmp_path / "content.h5" if suffix == ".keras" else path
    with h5py.File(content, "w") as file:
        file.create_dataset("layers/cell/x", (1 << 30,), "float32", chunks=True, compression="gzip")
    if suffix == ".keras":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(content, "model.weights.h5")
    with pytest.raises(ValueError, match=r"unpacks to 4,294,967,296; at most"):
        load_pretrained(model, "small", path)


def test_a_packed_but_honest_file_loads(model, tmp_path):
    path = tmp_path / "model.keras"
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    assert unchanged(nk.load_model(path, compile=False), arrays(model))


def test_no_loader_waits_for_a_pipe(model, tmp_path):
    for name in ("a.keras", "a.weights.h5", "a.h5", "model.ckpt.index"):
        os.mkfifo(tmp_path / name)
        if name.endswith(".index"):
            pytest.importorskip("tensorflow")
        with pytest.raises(OSError, match="is a pipe, not a file"):
            load_pretrained(model, "small", tmp_path / name)
    with pytest.raises(OSError, match="is a pipe, not a file"):
        read_json_member(tmp_path / "a.keras", "config.json")
