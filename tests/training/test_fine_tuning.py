"""Starting from other weights, and training a part: what must not move does not, to the bit."""

from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification import Recipe, get_recipe
from nasnet_keras.classification.objective import add_weight_decay, cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.trainer import build_training_network
from nasnet_keras.training.fine_tuning import describe_start, set_trainable, start_from
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from nasnet_keras.training.saved_network import load_model
from tests.one_block_cells import GENOTYPE

TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, epochs=1
)
AVERAGED = TINY.override(moving_average_decay=0.9, augmentation="none")
HEADS = ["aux_0", "final_layer"]


def build(classes: int = 10, recipe: Recipe = TINY, **changes: Any) -> keras.Model:
    return build_training_network(recipe.override(**changes), classes, 5)


def arrays(model):
    return {v.path: keras.ops.convert_to_numpy(v).copy() for v in model.weights}


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" in str(variable.dtype):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))


def compile_network(model, recipe=TINY):
    losses, weights = cross_entropies(recipe.auxiliary_weight)
    model.compile(
        make_optimizer(recipe, make_learning_rate(recipe, 2, 2)), loss=losses, loss_weights=weights
    )


def fit(model):
    """Trains two steps on random images and returns the values before."""
    before = arrays(model)
    outputs: Any = model.output
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (8, 16, 16, 3)).astype(np.float32)
    targets = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 8)]
    model.fit(images, dict.fromkeys(outputs, targets), batch_size=4, epochs=1, verbose=0)
    return before


def changed(model, before):
    return {
        path for path, value in arrays(model).items() if not np.array_equal(value, before[path])
    }


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


# ---- Which variables are trained.


def test_only_the_chosen_scopes_move_and_the_rest_stays_to_the_bit(tmp_path):
    model = build()
    set_trainable(model, ["final_layer", "cell_1/comb_iter_0", "l1_stem_bn/gamma"])
    add_weight_decay(model, 0.01)
    chosen = {variable.path for variable in model.trainable_variables}
    assert chosen == {
        path
        for path in arrays(model)
        if path.startswith(("final_layer/", "cell_1/comb_iter_0/", "l1_stem_bn/gamma"))
        and not path.endswith(("moving_mean", "moving_variance"))
    }
    decayed = {v.path for v in model.weights if getattr(v, "regularizer", None) is not None}
    assert decayed == {path for path in chosen if path.endswith("kernel")}
    compile_network(model)
    moved = changed(model, fit(model))
    statistics = {
        path
        for path in arrays(model)
        if path.startswith(("cell_1/comb_iter_0/", "l1_stem_bn/")) and "/moving_" in path
    }
    assert moved == chosen | statistics | {"drop_path_schedule/step"}

    # Saved and loaded, it goes on with the same variables and the optimizer's state.
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert {variable.path for variable in loaded.trainable_variables} == chosen
    state = zip(loaded.optimizer.variables, model.optimizer.variables, strict=True)
    for ours, theirs in state:
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs)
        )
    set_trainable(loaded, ["final_layer", "cell_1/comb_iter_0", "l1_stem_bn/gamma"])
    assert changed(loaded, fit(loaded)) == moved
    with pytest.raises(ValueError, match="the optimizer of network 'nasnet_cifar' was built for"):
        set_trainable(loaded, ["aux_0"])
    assert {variable.path for variable in loaded.trainable_variables} == chosen


def test_frozen_batch_normalization_keeps_statistics_and_gamma_while_kernels_train():
    # In cells of one block some kernels of such weights do not move.
    recipe = TINY.override(genotype=None, auxiliary_weight=0.0)
    model = build(recipe=recipe)
    randomize(model, 1)
    set_trainable(model, freeze_batch_norm=True)
    compile_network(model, recipe)
    moved = changed(model, fit(model))
    kernels = {path for path in arrays(model) if path.startswith("final_layer/")} | {
        path for path in arrays(model) if path.endswith("kernel")
    }
    assert moved == kernels | {"drop_path_schedule/step"}


def test_frozen_batch_normalization_trains_on_what_inference_computes():
    model = build(drop_path_keep_probability=1.0, augmentation="none")
    randomize(model, 2)
    set_trainable(model, freeze_batch_norm=True)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3)).astype(np.float32)
    inference = keras.ops.convert_to_numpy(model(images, training=False)["logits"])
    training = keras.ops.convert_to_numpy(model(images, training=True)["logits"])
    np.testing.assert_allclose(training, inference, rtol=1e-5)


def test_choosing_again_replaces_the_choice_and_none_trains_everything():
    model = build()
    everything = [variable.path for variable in model.trainable_variables]
    for scopes, freezes in ((["cell_0"], True), (["aux_0"], False), (["aux_0"], False)):
        set_trainable(model, scopes, freezes)
    assert {v.path.split("/")[0] for v in model.trainable_variables} == {"aux_0"}
    assert not model.get_layer("cell_0").trainable and model.get_layer("aux_0").trainable
    set_trainable(model)
    assert [variable.path for variable in model.trainable_variables] == everything
    assert all(layer.trainable for layer in model._flatten_layers())


def test_unknown_scope_names_the_nearest_and_nothing_to_train_is_refused():
    model = build()
    set_trainable(model, ["cell_0"])
    before = [variable.path for variable in model.trainable_variables]
    cases: tuple[tuple[Any, str], ...] = (
        ((["final_leyer"],), "unknown scope in trainable_scopes 'final_leyer'; .*'final_layer'"),
        ((["cell_1/comb_itr_0"],), "did you mean 'cell_1/comb_iter_0'"),
        ((["cell"],), "did you mean 'cell_[01]'"),
        (("final_layer",), "is a list of scopes, got 'final_layer'"),
        (([],), "leave nothing to train"),
        ((["l1_stem_bn"], True), "freeze_batch_norm=True leave nothing to train"),
    )
    for arguments, message in cases:
        with pytest.raises(ValueError, match=message) as error:
            set_trainable(model, *arguments)
        assert "\n" not in str(error.value)
    assert [variable.path for variable in model.trainable_variables] == before


def test_saved_network_stays_frozen_in_every_layer(tmp_path):
    model = build()
    set_trainable(model, ["cell_1"], freeze_batch_norm=True)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    for ours, theirs in zip(loaded._flatten_layers(), model._flatten_layers(), strict=True):
        if theirs.weights:
            assert ours.trainable == theirs.trainable, theirs.path
    assert [v.path for v in loaded.trainable_variables] == [
        v.path for v in model.trainable_variables
    ]


def test_what_was_loaded_frozen_can_be_trained_again(tmp_path):
    model = build(auxiliary_weight=0.0)
    set_trainable(model, ["final_layer"])
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    scopes = ["l1_stem_3x3", "l1_stem_bn"]
    set_trainable(loaded, scopes)
    compile_network(loaded, TINY.override(auxiliary_weight=0.0))
    moved = changed(loaded, fit(loaded))
    assert {path.split("/")[0] for path in moved} == {*scopes, "drop_path_schedule"}
    assert len(moved) == 6


# ---- Where the weights come from.


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
