"""Starting from other weights: what a file gives, and what it leaves as it was."""

from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.training.fine_tuning import describe_start, set_trainable, start_from
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from tests.fine_tuned_networks import TINY, arrays, build, changed, compile_network, fit, randomize

AVERAGED = TINY.override(moving_average_decay=0.9, augmentation="none")
HEADS = ["aux_0", "final_layer"]


def assert_equal(model, expected, but=(), elsewhere: Any = None):
    """Compares all values with those expected, and those in the scopes `but` with others."""
    for path, value in arrays(model).items():
        if path.startswith("drop_path_schedule"):
            continue
        source = elsewhere if path.split("/")[0] in but else expected
        np.testing.assert_array_equal(value, source[path], err_msg=path)


@pytest.fixture(scope="module")
def source():
    """A network with random weights, drop path's step ahead of a new network's."""
    model = build()
    randomize(model, 0)
    model.get_layer("drop_path_schedule").step.assign(4)
    return model


@pytest.fixture(scope="module")
def files(source, tmp_path_factory):
    """The network in each format of this package."""
    folder = tmp_path_factory.mktemp("files")
    source.save(folder / "model.keras")
    source.save_weights(folder / "model.weights.h5")
    return folder


@pytest.mark.parametrize("name", ["", "model.keras", "model.weights.h5"])
@pytest.mark.parametrize("compiled", [False, True])
def test_own_files_give_their_values(name, compiled, files, source):
    model = build()
    if compiled:
        compile_network(model)
    report = start_from(model, files / name)
    assert_equal(model, arrays(source))
    assert int(model.get_layer("drop_path_schedule").step) == 0
    assert (report.kept, report.missing, report.averaged) == ((), (), 0)
    assert len(report.assigned) == len(model.weights) - 1


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_another_number_of_classes_names_the_scopes_and_starts_without_them(name, files, source):
    model = build(classes=7)
    before = arrays(model)
    with pytest.raises(ValueError) as error:
        start_from(model, files / name)
    message = str(error.value)
    assert "it has 10 classes and the model 7" in message and "\n" not in message
    assert f"exclude_scopes={HEADS!r}" in message
    assert "--checkpoint_exclude_scopes=aux_0,final_layer" in message
    # With one excluded, the flag names both.
    with pytest.raises(ValueError, match="--checkpoint_exclude_scopes=final_layer,aux_0"):
        start_from(model, files / name, ["final_layer"])
    assert not changed(model, before)
    report = start_from(model, files / name, HEADS)
    assert_equal(model, arrays(source), HEADS, before)
    assert {path.split("/")[0] for path in report.kept} == set(HEADS)
    assert describe_start(report).endswith(" left as they were, excluded: aux_0, final_layer")


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_another_input_size_fits_but_for_the_auxiliary_head(name, files, source):
    model = build(train_image_size=24)
    before = arrays(model)
    with pytest.raises(ValueError, match="an auxiliary head fits one input size only") as error:
        start_from(model, files / name)
    assert "(--checkpoint_exclude_scopes=aux_0)" in str(error.value)
    assert "classes" not in str(error.value)
    assert not changed(model, before)
    start_from(model, files / name, ["aux_0"])
    assert_equal(model, arrays(source), ["aux_0"], before)
    plain = build(train_image_size=24, auxiliary_weight=0.0)
    start_from(plain, files / name)
    assert_equal(plain, arrays(source))


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_another_network_or_scope_changes_nothing(name, files):
    for recipe in (TINY.override(num_cells=4), TINY.override(filters=4)):
        model = build(recipe=recipe)
        before = arrays(model)
        with pytest.raises(ValueError, match="does not fit model") as error:
            start_from(model, files / name)
        assert "checkpoint_exclude_scopes" not in str(error.value)
        assert "\n" not in str(error.value)
        assert not changed(model, before)
    with pytest.raises(ValueError, match="exclude_scopes 'final_leyer'; did you mean"):
        start_from(build(), files / name, ["final_leyer"])
    with pytest.raises(ValueError, match="is a list of scopes"):
        start_from(build(), files / name, "final_layer")


@pytest.mark.parametrize("name", ["model.keras", "model.weights.h5"])
def test_missing_variables_are_an_error_or_left_and_listed(name, source, tmp_path):
    plain = build(auxiliary_weight=0.0)
    randomize(plain, 3)
    plain.save(tmp_path / "model.keras")
    plain.save_weights(tmp_path / "model.weights.h5")
    model = build()
    before = arrays(model)
    with pytest.raises(ValueError, match=r"12 missing in it: aux_0/.*scopes=aux_0\)"):
        start_from(model, tmp_path / name)
    assert not changed(model, before)
    report = start_from(model, tmp_path / name, ignore_missing_vars=True)
    assert_equal(model, arrays(plain), ["aux_0"], before)
    assert len(report.missing) == 12 and not report.kept
    assert "12 left as they were, not in the checkpoint: aux_0/aux_logits/" in describe_start(
        report
    )


def test_moving_averages_of_a_run_are_what_is_read(tmp_path):
    trained = build(recipe=AVERAGED)
    set_trainable(trained, ["final_layer", "aux_0"])
    compile_network(trained, AVERAGED)
    fit(trained)
    averages = averaged_weights(trained)
    trained.save(tmp_path / "model.keras")
    for path in (tmp_path, tmp_path / "model.keras"):
        model = build()
        report = start_from(model, path)
        assert report.averaged == len(averages) == 10
        assert_equal(model, {**arrays(trained), **averages})
        assert ", 10 of them moving averages" in describe_start(report).replace(";", ",")
    kernel = "final_layer/FC/kernel"
    assert not np.array_equal(averages[kernel], arrays(trained)[kernel])


def test_files_of_keras_applications_leave_the_auxiliary_head(tmp_path):
    theirs = keras.applications.NASNetMobile(
        input_shape=(32, 32, 3), include_top=False, weights=None
    )
    theirs.save(tmp_path / "theirs.keras")
    model = nk.create_model("nasnet_mobile", classes=3, input_shape=(32, 32, 3))
    before = arrays(model)
    report = start_from(model, tmp_path / "theirs.keras", ["final_layer"])
    assert report.source == str(tmp_path / "theirs.keras")
    assert len(report.assigned) == len(theirs.weights)
    np.testing.assert_array_equal(
        arrays(model)["conv0/kernel"],
        keras.ops.convert_to_numpy(theirs.get_layer("stem_conv1").kernel),
    )
    assert_equal(model, arrays(model), ["final_layer"], before)
    with pytest.raises(ValueError, match="checkpoint_exclude_scopes=final_layer"):
        start_from(model, tmp_path / "theirs.keras")
    report = start_from(model, tmp_path / "theirs.keras", ignore_missing_vars=True)
    assert report.missing == ("final_layer/FC/kernel", "final_layer/FC/bias")


def test_absent_checkpoints_and_empty_directories_are_named(tmp_path):
    model = build()
    with pytest.raises(FileNotFoundError, match="neither model.keras nor a slim checkpoint"):
        start_from(model, tmp_path)
    with pytest.raises(FileNotFoundError, match="absent"):
        start_from(model, tmp_path / "absent.keras")
    (tmp_path / "model.keras").write_bytes(b"PK")
    with pytest.raises(ValueError, match="not a complete .keras file"):
        start_from(model, tmp_path)


@pytest.mark.tensorflow
@pytest.mark.parametrize("form", ["prefix", "index", "directory"])
def test_slim_checkpoint_gives_its_moving_averages(form, source, tmp_path):
    prefix = tmp_path / "model.ckpt-3"
    values = arrays(source)
    averages = {
        path: values[path] + 1 for path in ("cell_0/1x1/kernel", "aux_0/aux_logits/FC/bias")
    }
    nk.save_slim_checkpoint(source, prefix, global_step=3, moving_averages=averages)
    path = {"prefix": prefix, "index": f"{prefix}.index", "directory": tmp_path}[form]
    model = build()
    report = start_from(model, path)
    assert report.averaged == 2
    assert_equal(model, {**values, **averages})


@pytest.mark.tensorflow
def test_slim_checkpoint_of_other_classes_or_without_auxiliary_head(source, tmp_path):
    nk.save_slim_checkpoint(source, tmp_path / "model.ckpt")
    model = build(classes=7)
    before = arrays(model)
    with pytest.raises(ValueError, match="--checkpoint_exclude_scopes=aux_0,final_layer"):
        start_from(model, tmp_path)
    assert not changed(model, before)
    start_from(model, tmp_path, HEADS)
    assert_equal(model, arrays(source), HEADS, before)

    plain = build(auxiliary_weight=0.0)
    nk.save_slim_checkpoint(plain, tmp_path / "plain" / "model.ckpt")
    model = build()
    before = arrays(model)
    report = start_from(model, tmp_path / "plain", ignore_missing_vars=True)
    assert len(report.missing) == 12 and report.missing[0].startswith("aux_0/aux_logits/")
    assert_equal(model, arrays(plain), ["aux_0"], before)
    stranger = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="has no variable of"):
        start_from(stranger, tmp_path / "plain", ignore_missing_vars=True)


@pytest.mark.tensorflow
def test_variables_of_a_distribution_strategy_are_set_on_every_replica(files, source):
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    for name in ("model.keras", "model.weights.h5"):
        with strategy.scope():
            model = build()
            compile_network(model)
            start_from(model, files / name)
            set_trainable(model, ["final_layer"], freeze_batch_norm=True)
        assert_equal(model, arrays(source))
        assert len(model.trainable_variables) == 2
