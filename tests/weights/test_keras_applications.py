"""keras.applications' arrays land where slim has them: shown by values, cell by cell."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.weights.keras_applications import keras_layer_name

h5py = pytest.importorskip("h5py")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "torch", reason="keras.applications.nasnet refuses torch"
)

SIZE = 96


def arrays(model):
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v)) for v in model.weights}


def unchanged(model, before):
    return all(np.array_equal(value, before[path]) for path, value in arrays(model).items())


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        fan_in = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 1
        variable.assign(rng.uniform(0.5, 1.5, variable.shape) / fan_in)


@pytest.fixture(scope="module")
def theirs():
    model = keras.applications.NASNetMobile(
        (SIZE, SIZE, 3), weights=None, classifier_activation=None
    )
    randomize(model, 0)
    return model


@pytest.fixture(scope="module")
def ours():
    return nk.create_model(
        "nasnet_mobile", classes=1000, input_shape=(SIZE, SIZE, 3), classifier_activation=None
    )


@pytest.fixture(scope="module")
def converted(theirs, ours):
    """Our network's values after conversion from the model."""
    nk.load_keras_applications_weights(ours, theirs)
    return arrays(ours)


def test_every_layer_has_one_counterpart(theirs, ours):
    scopes = {path.rpartition("/")[0] for path in arrays(ours)}
    names = {keras_layer_name(scope, 4) for scope in scopes}
    assert len(names) == len(scopes)
    assert names == {layer.name for layer in theirs.layers if layer.weights}


def test_every_cell_computes_the_same(theirs, ours, converted):
    """Each cell gets the other model's inputs; only the border of strided pools may differ."""
    row = ["reduction_concat_stem_1", "reduction_concat_stem_2"]
    row += [f"normal_concat_{k}" for k in range(4)] + ["reduction_concat_reduce_4"]
    row += [f"normal_concat_{k}" for k in range(5, 9)] + ["reduction_concat_reduce_8"]
    row += [f"normal_concat_{k}" for k in range(9, 13)]
    cells = [layer for layer in ours.layers if "cell" in layer.name]
    assert len(cells) == len(row)
    probe = keras.Model(
        theirs.input,
        [theirs.get_layer(name).output for name in ["stem_bn1", *row]] + [theirs.output],
    )
    images = np.random.default_rng(1).uniform(-1, 1, (1, SIZE, SIZE, 3)).astype(np.float32)
    *outputs, logits = (keras.ops.convert_to_numpy(x) for x in probe(images))
    stem = ours.get_layer("conv0_bn")(ours.get_layer("conv0")(images))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(stem), outputs[0], rtol=1e-4)
    for k, cell in enumerate(cells):
        # After a reduction Keras's Mobile goes on from the reduction and its input, as slim's.
        inputs = [outputs[k], outputs[k - 1]] if k else [outputs[0]]
        mine = keras.ops.convert_to_numpy(cell(inputs))
        other = outputs[k + 1]
        if cell.strides == 2:
            mine, other = mine[:, 1:-1, 1:-1], other[:, 1:-1, 1:-1]
        assert mine.size and np.std(other) > 1e-3
        np.testing.assert_allclose(mine, other, rtol=2e-4, atol=1e-4 * np.abs(other).max())
    pooled = np.maximum(outputs[-1], 0).mean((1, 2))
    mine = keras.ops.convert_to_numpy(ours.get_layer("final_layer")(pooled))
    np.testing.assert_allclose(mine, logits, rtol=1e-4)


@pytest.mark.parametrize("size", [224, 97])
def test_its_own_padding_gives_its_own_numbers(size):
    shape = (size, size + 2, 3)
    theirs = keras.applications.NASNetMobile(shape, weights=None, classifier_activation=None)
    ours = nk.create_model(
        "nasnet_mobile", 1000, shape, classifier_activation=None, padding="keras_applications"
    )
    nk.load_keras_applications_weights(ours, theirs)
    images = np.random.default_rng(2).uniform(-1, 1, (1, *shape)).astype(np.float32)
    expected = theirs.predict(images, verbose=0)
    np.testing.assert_allclose(ours.predict(images, verbose=0), expected, rtol=0, atol=1e-5)


def test_its_own_padding_needs_a_known_size():
    message = r"padding='keras_applications' needs a fixed input size, got \(None, None, 3\)"
    with pytest.raises(ValueError, match=message):
        nk.create_model("nasnet_mobile", input_shape=(None, None, 3), padding="keras_applications")


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_files_give_what_the_model_gives(suffix, theirs, ours, converted, tmp_path):
    path = tmp_path / f"theirs{suffix}"
    theirs.save_weights(path) if suffix == ".weights.h5" else theirs.save(path)
    randomize(ours, 1)
    report = nk.load_keras_applications_weights(ours, path)
    assert unchanged(ours, converted)
    assert (len(report.assigned), report.parameters) == (len(converted), ours.count_params())
    assert report.source == str(path)


def write_published(path, model, rename=lambda name: name):
    """Writes the layout of the files that Keras publishes: weights only, names ending in `:0`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [rename(layer.name).encode() for layer in model.layers]
        file.attrs["keras_version"] = "2.1.5"
        for layer in model.layers:
            group = file.create_group(rename(layer.name))
            weights = layer.trainable_weights + layer.non_trainable_weights
            names = [f"{rename(layer.name)}_1/{w.path.rsplit('/', 1)[1]}:0" for w in weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, weights, strict=True):
                group[name] = keras.ops.convert_to_numpy(weight)


def test_published_layout_is_read_by_name(theirs, ours, converted, tmp_path):
    write_published(tmp_path / "published.h5", theirs)
    randomize(ours, 1)
    nk.load_keras_applications_weights(ours, tmp_path / "published.h5")
    assert unchanged(ours, converted)


def test_published_layout_under_other_names_is_read_by_order_as_keras_does(
    theirs, ours, converted, tmp_path
):
    write_published(tmp_path / "other.h5", theirs, rename=lambda name: f"old_{name}")
    randomize(ours, 1)
    nk.load_keras_applications_weights(ours, tmp_path / "other.h5")
    assert unchanged(ours, converted)


@pytest.fixture(scope="module")
def no_top():
    return nk.create_model("nasnet_mobile", include_top=False, input_shape=(None, None, 3))


def test_classifier_on_one_side_only_is_named(theirs, no_top, converted, tmp_path):
    with pytest.raises(ValueError, match=r"2 left over.*exclude_scopes=\['final_layer'\]"):
        nk.load_keras_applications_weights(no_top, theirs)
    nk.load_keras_applications_weights(no_top, theirs, exclude_scopes=["final_layer"])
    assert unchanged(no_top, converted)


def test_source_without_classifier_needs_ours_excluded(theirs, ours, converted, tmp_path):
    path = tmp_path / "no_top.h5"
    write_published(path, keras.Model(theirs.input, theirs.layers[-2].output))
    randomize(ours, 2)
    before = arrays(ours)
    with pytest.raises(ValueError, match=r"2 missing.*exclude_scopes=\['final_layer'\]"):
        nk.load_keras_applications_weights(ours, path)
    assert unchanged(ours, before)
    report = nk.load_keras_applications_weights(ours, path, exclude_scopes=["final_layer"])
    assert sorted(report.kept) == ["final_layer/FC/bias", "final_layer/FC/kernel"]
    for name, value in arrays(ours).items():
        expected = before if name.startswith("final_layer") else converted
        np.testing.assert_array_equal(value, expected[name])


def test_another_number_of_classes_is_named(theirs):
    model = nk.create_model("nasnet_mobile", input_shape=(None, None, 3))
    before = arrays(model)
    with pytest.raises(ValueError, match="it has 1000 classes and the model 1001"):
        nk.load_keras_applications_weights(model, theirs)
    assert unchanged(model, before)


def test_another_network_lists_what_does_not_fit_and_changes_nothing(theirs):
    model = nk.build_network(nk.NetworkConfig("nasnet_a", num_cells=3, filters=8), 1000)
    before = arrays(model)
    with pytest.raises(ValueError) as error:
        nk.load_keras_applications_weights(model, theirs)
    message = str(error.value)
    assert "missing in it: l1_stem_3x3/kernel" in message and "left over in it: " in message
    assert message.count("(first 10)") == 3 and "\n" not in message
    assert unchanged(model, before)


def test_one_of_our_own_networks_is_no_source(ours):
    other = nk.create_model("nasnet_mobile", classes=1000, input_shape=(None, None, 3))
    before = arrays(ours)
    with pytest.raises(ValueError, match="1126 missing in it"):
        nk.load_keras_applications_weights(ours, other)
    assert unchanged(ours, before)


def test_files_of_another_kind_are_one_line(ours, tmp_path):
    before = arrays(ours)
    text = tmp_path / "text.h5"
    text.write_text("no weights")
    with pytest.raises(ValueError, match=r"text\.h5 is not a readable HDF5 file"):
        nk.load_keras_applications_weights(ours, text)
    with pytest.raises(FileNotFoundError, match="absent"):
        nk.load_keras_applications_weights(ours, tmp_path / "absent.h5")
    small = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    small.save_weights(tmp_path / "small.weights.h5")
    with pytest.raises(ValueError, match=r"neither keras.applications.NASNetMobile nor"):
        nk.load_keras_applications_weights(ours, tmp_path / "small.weights.h5")
    assert unchanged(ours, before)


def test_arrays_kept_in_another_file_are_refused(ours, tmp_path):
    with h5py.File(tmp_path / "outside.h5", "w") as file:
        file.create_dataset(
            "stem_conv1/kernel:0",
            (3, 3, 3, 32),
            "float32",
            external=[(str(tmp_path / "secret"), 0, 3456)],
        )
    with pytest.raises(ValueError, match="in another file"):
        nk.load_keras_applications_weights(ours, tmp_path / "outside.h5")
