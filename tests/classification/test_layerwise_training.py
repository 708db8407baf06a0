"""Layer-wise networks in the classifier's trainer."""

from pathlib import Path

import numpy as np
import pytest

from nasnet_keras.classification import RunOptions, get_recipe
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.classification.resolved_recipe import resolved_recipe
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.classification.trainer import train
from nasnet_keras.genotypes import NAS_V1, get_genotype
from nasnet_keras.models import LayerwiseConfig
from tests.layerwise_networks import MIXED

OPTIONS = RunOptions(tensorboard=False)


def test_a_recipe_for_cells_trains_layers_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "layers.json"
    MIXED.save(file)
    short = {"genotype": str(file), "batch_size": 128, "train_image_size": 8}
    recipe = get_recipe("digits").override(max_number_of_steps=8, **short)
    whole = train(recipe, tmp_path / "whole", options=OPTIONS)
    assert whole is not None and 0 < whole.accuracy <= 1
    # What is stored is the network, not the file; a run that has ended goes on to the same result.
    file.unlink()
    trained = load_trained_model(tmp_path / "whole")
    assert trained.model.name == "mixed"
    assert not [v.path for v in trained.model.weights if "aux" in v.path]
    again = train(recipe.replace(genotype=MIXED), tmp_path / "whole", options=OPTIONS)
    assert again is not None and again.accuracy == whole.accuracy
    with pytest.raises(ValueError, match="genotype"):
        train(recipe.replace(genotype="nas_v1"), tmp_path / "whole", options=OPTIONS)


def test_what_layers_do_not_have_is_left_out_or_refused_where_it_was_asked_for() -> None:
    recipe = get_recipe("nasnet_cifar").override(genotype="nas_v1")
    resolved = resolved_recipe(recipe)
    assert resolved.genotype == NAS_V1
    assert resolved.auxiliary_weight == 0 and resolved.drop_path_keep_probability is None
    assert resolved_recipe(resolved) == resolved
    by_name = get_recipe("nasnet_cifar").override(model_name="nas_v1")
    config = recipe_network_config(by_name, drop_path_total_steps=9)
    assert config == recipe_network_config(recipe) == LayerwiseConfig(NAS_V1)
    assert resolved_recipe(by_name).auxiliary_weight == 0
    for change in ({"filters": 16}, {"drop_path_keep_probability": 0.5}, {"auxiliary_weight": 0.3}):
        (name,) = change
        with pytest.raises(ValueError, match=f"{name}=.* is for networks of cells; 'nas_v1' cons"):
            resolved_recipe(recipe.override(**change))
    with pytest.raises(ValueError, match="rematerialize computes cells again"):
        digits = get_recipe("digits").override(genotype="nas_v1")
        train(digits, "nowhere", options=RunOptions(rematerialize=True))
    with pytest.raises(ValueError, match="'nas_v1' consists of single layers, genotype 'nasnet_a'"):
        recipe_network_config(by_name.override(genotype="nasnet_a"))
    assert get_genotype("nas_v1") == NAS_V1


def test_nesterovs_momentum_is_the_optimizers() -> None:
    from nasnet_keras.classification.optimizer import make_optimizer

    plain, nesterov = (
        make_optimizer(get_recipe("layerwise_child").override(nesterov=value), 0.1)
        for value in (False, True)
    )
    assert (plain.nesterov, nesterov.nesterov) == (False, True)
    with pytest.raises(ValueError, match="nesterov=True contradicts optimizer=adam"):
        get_recipe("digits").override(nesterov=True, optimizer="adam")
    assert np.isclose(nesterov.momentum, 0.9)
