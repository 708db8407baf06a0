"""Slim checkpoints: every array in its place, or nothing changed and one line that says why."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.weights import slim_checkpoint_shapes
from nasnet_keras.weights.slim_names import in_scopes, slim_name, variable_path
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_checkpoint

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.tensorflow

GOLDEN = Path(__file__).parents[1] / "golden"


def build(classes=10, auxiliary_head=False, filters=4, num_cells=3, include_top=True):
    config = nk.NetworkConfig("nasnet_a", num_cells=num_cells, filters=filters, stem_filters=6)
    return nk.build_network(
        config,
        classes,
        (32, 32, 3),
        include_top=include_top,
        auxiliary_head=auxiliary_head,
        classifier_activation=None,
    )


def arrays(model):
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v)) for v in model.weights}


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A network with auxiliary head of 1,001 classes, and its checkpoint with a training's rest."""
    model = build(1001, auxiliary_head=True)
    randomize(model, 0)
    names = {slim_name(path): value for path, value in arrays(model).items()}
    rest = {"global_step": np.int64(7), "beta1_power": np.float32(0.9)}
    for name, value in names.items():
        if name.rsplit("/", 1)[-1] not in ("moving_mean", "moving_variance"):
            rest[f"{name}/ExponentialMovingAverage"] = value + 1
            rest[f"{name}/RMSProp"] = value * 2
            rest[f"{name}/RMSProp_1"] = value * 3
            rest[f"{name}/Momentum"] = value * 4
    prefix = write_checkpoint(tmp_path_factory.mktemp("slim") / "model.ckpt-7", {**names, **rest})
    return model, prefix


@pytest.fixture
def plain():
    model = build(1001)
    randomize(model, 1)
    return model


def unchanged(model, before):
    return all(np.array_equal(value, before[path]) for path, value in arrays(model).items())


def test_golden_checkpoint_gives_the_original_logits(tmp_path):
    golden = json.loads((GOLDEN / "slim_forward.json").read_text())["vars"]["nasnet_cifar/train"]
    values = {name: golden_value(name, tuple(shape)) for name, shape in golden}
    averages = {f"{name}/ExponentialMovingAverage": value for name, value in values.items()}
    zeros = {name: np.zeros_like(value) for name, value in values.items()}
    model = nk.create_model("nasnet_cifar", classifier_activation=None)
    logits = np.load(GOLDEN / "slim_forward.npz")["nasnet_cifar|eval|logits"]
    images = np.random.default_rng(7).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    step = {"global_step": np.int64(3)}

    plain = write_checkpoint(tmp_path / "plain", {**values, **step})
    report = nk.load_slim_checkpoint(model, plain)
    assert len(report.assigned) == len(model.weights)
    assert report.parameters == model.count_params() == 3_383_786
    assert {name.split("/")[0] for name in report.skipped} == {"aux_11"}
    np.testing.assert_allclose(model.predict(images, verbose=0), logits, atol=2e-5)

    # slim's own training averages the moving statistics as well.
    averaged = write_checkpoint(tmp_path / "averaged", {**zeros, **averages, **step})
    report = nk.load_slim_checkpoint(model, averaged, use_moving_averages=True)
    assert report.averaged == len(model.weights)
    np.testing.assert_allclose(model.predict(images, verbose=0), logits, atol=2e-5)


@pytest.mark.parametrize("network", ["nasnet_cifar", "nasnet_mobile", "pnasnet_mobile"])
def test_names_are_slims_both_ways(network):
    golden = json.loads((GOLDEN / "slim_forward.json").read_text())["vars"][f"{network}/train"]
    for name, _ in golden:
        assert slim_name(variable_path(name)) == name
        assert variable_path(name) != name or name.endswith(
            ("gamma", "beta", "moving_mean", "moving_variance")
        )


def test_save_then_load_gives_every_value_back(tmp_path):
    model = build(auxiliary_head=True)
    randomize(model, 2)
    saved = arrays(model)
    average = {"final_layer/FC/bias": np.full(10, 5.0)}
    prefix = nk.save_slim_checkpoint(model, tmp_path / "new" / "model.ckpt", 12, average)
    assert sorted(os.listdir(tmp_path / "new")) == [
        "model.ckpt.data-00000-of-00001",
        "model.ckpt.index",
    ]
    shapes = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    assert shapes.pop("global_step") == []
    assert shapes.pop("final_layer/FC/biases/ExponentialMovingAverage") == [10]
    assert shapes == {slim_name(path): list(value.shape) for path, value in saved.items()}
    assert tf.train.load_checkpoint(prefix).get_tensor("global_step") == 12
    randomize(model, 3)
    for given in (prefix, f"{prefix}.index", tmp_path / "new"):
        randomize(model, 3)
        nk.load_slim_checkpoint(model, given)
        assert unchanged(model, saved)


def test_save_refuses_an_average_of_nothing(tmp_path):
    model = build()
    with pytest.raises(ValueError, match="'cell_9/kernel'"):
        nk.save_slim_checkpoint(model, tmp_path / "a", moving_averages={"cell_9/kernel": 0})
    with pytest.raises(ValueError, match=r"\(3,\) instead of \(10,\)"):
        nk.save_slim_checkpoint(
            model, tmp_path / "a", moving_averages={"final_layer/FC/bias": np.zeros(3)}
        )
    assert os.listdir(tmp_path) == []


def test_rest_of_a_training_is_ignored_and_an_auxiliary_head_skipped(trained, plain):
    source, prefix = trained
    report = nk.load_slim_checkpoint(plain, prefix)
    expected = arrays(source)
    assert all(np.array_equal(value, expected[path]) for path, value in arrays(plain).items())
    assert len(report.skipped) == 12
    trainable = len(source.trainable_weights)
    assert len(report.ignored) == 2 + 4 * trainable
    assert report.averaged == 0


def test_moving_averages_are_read_by_their_name(trained):
    source, prefix = trained
    model = build(1001, auxiliary_head=True)
    report = nk.load_slim_checkpoint(model, prefix, use_moving_averages=True)
    trainable = {variable.path for variable in source.trainable_weights}
    expected = arrays(source)
    for path, value in arrays(model).items():
        np.testing.assert_array_equal(value, expected[path] + (path in trainable))
    assert report.averaged == len(trainable)


def test_checkpoint_without_averages_says_so(tmp_path, plain):
    prefix = nk.save_slim_checkpoint(plain, tmp_path / "model")
    before = arrays(plain)
    with pytest.raises(ValueError, match="no moving averages: pass use_moving_averages=False"):
        nk.load_slim_checkpoint(plain, prefix, use_moving_averages=True)
    assert unchanged(plain, before)


def test_checkpoint_with_averages_alone_says_so(tmp_path, plain):
    values = {
        f"{slim_name(path)}/ExponentialMovingAverage": value
        for path, value in arrays(plain).items()
    }
    prefix = write_checkpoint(tmp_path / "model", values)
    with pytest.raises(ValueError, match="pass use_moving_averages=True"):
        nk.load_slim_checkpoint(plain, prefix)


def test_another_number_of_classes_names_the_scopes_to_exclude(trained):
    source, prefix = trained
    model = build(5, auxiliary_head=True)
    randomize(model, 4)
    before = arrays(model)
    with pytest.raises(ValueError) as error:
        nk.load_slim_checkpoint(model, prefix)
    message = str(error.value)
    assert "4 of another shape" in message
    assert "it has 1001 classes and the model 5" in message
    assert "exclude_scopes=['aux_1', 'final_layer']" in message
    assert unchanged(model, before)

    report = nk.load_slim_checkpoint(model, prefix, exclude_scopes=["final_layer", "aux_1"])
    expected = arrays(source)
    for path, value in arrays(model).items():
        kept = in_scopes(path, ["final_layer", "aux_1"])
        np.testing.assert_array_equal(value, (before if kept else expected)[path])
        assert (path in report.kept) == kept


def test_background_can_be_dropped(trained):
    source, prefix = trained
    model = build(1000, auxiliary_head=True)
    with pytest.raises(ValueError, match="drop_background=True"):
        nk.load_slim_checkpoint(model, prefix)
    nk.load_slim_checkpoint(model, prefix, drop_background=True)
    expected = arrays(source)
    for path, value in arrays(model).items():
        is_classifier = path.split("/")[-2] == "FC"
        np.testing.assert_array_equal(
            value, expected[path][..., 1:] if is_classifier else expected[path]
        )


def test_background_is_dropped_from_one_class_more_only(trained, plain):
    before = arrays(plain)
    with pytest.raises(ValueError, match="makes 1000 classes of the 1001"):
        nk.load_slim_checkpoint(plain, trained[1], drop_background=True)
    assert unchanged(plain, before)


def test_auxiliary_head_missing_in_the_checkpoint_is_an_error_unless_excluded(tmp_path):
    prefix = nk.save_slim_checkpoint(build(), tmp_path / "model")
    model = build(auxiliary_head=True)
    with pytest.raises(ValueError, match=r"12 missing.*exclude_scopes=\['aux_1'\]"):
        nk.load_slim_checkpoint(model, prefix)
    report = nk.load_slim_checkpoint(model, prefix, exclude_scopes=["aux_1"])
    assert len(report.kept) == 12


def test_model_without_classifier_needs_it_excluded(trained):
    model = build(include_top=False)
    with pytest.raises(ValueError, match=r"2 left over.*exclude_scopes=\['final_layer'\]"):
        nk.load_slim_checkpoint(model, trained[1])
    report = nk.load_slim_checkpoint(model, trained[1], exclude_scopes=["final_layer"])
    assert len(report.assigned) == len(model.weights)


def test_checkpoint_of_another_network_lists_ten_of_each_and_changes_nothing(trained):
    model = build(1001, num_cells=6)
    before = arrays(model)
    with pytest.raises(ValueError) as error:
        nk.load_slim_checkpoint(model, trained[1])
    message = str(error.value)
    assert "\n" not in message
    names, checkpoint = set(before), {variable_path(n) for n in slim_names(trained[0])}
    assert f"{len(names - checkpoint)} missing in it: " in message
    assert "of another shape: " in message
    listed = message.split("missing in it: ")[1].split(", ... (first 10)")[0].split(", ")
    assert len(listed) == 10 and not checkpoint & {variable_path(name) for name in listed}
    assert unchanged(model, before)

    smaller = build(1001)
    before = arrays(smaller)
    with pytest.raises(ValueError, match="216 left over in it: .*cell_3/1x1"):
        nk.load_slim_checkpoint(smaller, nk_saved(model, trained[1]))


def slim_names(model):
    return [slim_name(path) for path in arrays(model) if not path.startswith("aux_")]


def nk_saved(model, near):
    return nk.save_slim_checkpoint(model, os.path.join(os.path.dirname(near), "six", "model"))


def test_mistyped_scope_suggests_the_nearest(trained, plain):
    before = arrays(plain)
    with pytest.raises(ValueError, match="'final_layers'; did you mean 'final_layer'"):
        nk.load_slim_checkpoint(plain, trained[1], exclude_scopes=["final_layers"])
    with pytest.raises(ValueError, match="a list of scopes"):
        nk.load_slim_checkpoint(plain, trained[1], exclude_scopes="final_layer")
    assert unchanged(plain, before)


def test_scopes_are_whole_segments():
    assert in_scopes("cell_1/1x1/weights", ["cell_1"])
    assert in_scopes("cell_1/1x1/weights", ["cell_1/1x1"])
    assert not in_scopes("cell_11/1x1/weights", ["cell_1"])


def damage_data(prefix):
    path = f"{prefix}.data-00000-of-00001"
    os.truncate(path, os.path.getsize(path) // 2)


def damage_index(prefix):
    os.truncate(f"{prefix}.index", os.path.getsize(f"{prefix}.index") // 2)


def replace_index(prefix):
    Path(f"{prefix}.index").write_bytes(b"not a checkpoint " * 50)


def remove_data(prefix):
    os.remove(f"{prefix}.data-00000-of-00001")


@pytest.mark.parametrize("damage", [damage_data, damage_index, replace_index, remove_data])
def test_damaged_checkpoint_is_one_line_and_changes_nothing(damage, tmp_path, plain):
    prefix = nk.save_slim_checkpoint(plain, tmp_path / "model.ckpt")
    damage(prefix)
    randomize(plain, 5)
    before = arrays(plain)
    with pytest.raises((ValueError, OSError)) as error:
        nk.load_slim_checkpoint(plain, prefix)
    assert prefix in str(error.value) and "\n" not in str(error.value)
    assert unchanged(plain, before)


def test_what_is_no_checkpoint_is_named(tmp_path, plain):
    with pytest.raises(FileNotFoundError, match="absent"):
        nk.load_slim_checkpoint(plain, tmp_path / "absent")
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG" * 100)
    with pytest.raises(ValueError, match=r"picture\.png is not a readable checkpoint"):
        nk.load_slim_checkpoint(plain, picture)
    with pytest.raises(FileNotFoundError, match="has 0 checkpoints"):
        nk.load_slim_checkpoint(plain, tmp_path)
    objects = tf.train.Checkpoint(step=tf.Variable(1)).write(str(tmp_path / "objects"))
    with pytest.raises(ValueError, match="object-based"):
        slim_checkpoint_shapes(objects)


def test_directory_uses_its_checkpoint_file(tmp_path):
    model = build()
    for seed in (1, 2):
        randomize(model, seed)
        prefix = nk.save_slim_checkpoint(model, tmp_path / f"model.ckpt-{seed}")
        if seed == 1:
            first = arrays(model)
    with pytest.raises(FileNotFoundError, match="has 2 checkpoints"):
        nk.load_slim_checkpoint(model, tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-1"\n')
    nk.load_slim_checkpoint(model, tmp_path)
    assert unchanged(model, first) and prefix.endswith("-2")
