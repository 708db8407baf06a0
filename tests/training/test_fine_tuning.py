"""Training a part of a network: what must not move does not, to the bit."""

from typing import Any

import keras
import numpy as np
import pytest

from nasnet_keras.classification.objective import add_weight_decay
from nasnet_keras.training.fine_tuning import set_trainable
from nasnet_keras.training.saved_network import load_model
from tests.fine_tuned_networks import TINY, arrays, build, changed, compile_network, fit, randomize


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
