"""The recipe table, value by value, and what a recipe becomes."""

import pytest

from nasnet_keras.classification import get_recipe, list_recipes
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.classification.recipes import describe_recipes
from nasnet_keras.models import get_preset

CIFAR = {
    "dataset_name": "cifar10",
    "train_image_size": 32,
    "preprocessing_name": "whiten",
    "optimizer": "momentum",
    "momentum": 0.9,
    "learning_rate": 0.025,
    "learning_rate_decay_type": "cosine",
    "weight_decay": 5e-4,
    "label_smoothing": 0.0,
    "auxiliary_weight": 0.4,
    "drop_path_keep_probability": 0.6,
    "dropout": 0.0,
    "gradient_clip_norm": 5.0,
    "moving_average_decay": 0.0,
    "epochs": 600,
    "max_number_of_steps": 937_500,
    "replicas": 1,
}
IMAGENET = {
    "dataset_name": "imagenet2012",
    "evaluation_split_name": "validation",
    "optimizer": "rmsprop",
    "rmsprop_decay": 0.9,
    "rmsprop_momentum": 0.9,
    "opt_epsilon": 1.0,
    "learning_rate_decay_type": "exponential",
    "learning_rate_decay_factor": 0.97,
    "max_number_of_steps": 250_000,
    "label_smoothing": 0.1,
    "auxiliary_weight": 0.4,
    "dropout": 0.5,
    "gradient_clip_norm": 10.0,
    "moving_average_decay": 0.9999,
}
MOBILE = {"train_image_size": 224, "batch_size": 32, "learning_rate": 0.04, "replicas": 50}
LARGE = {"train_image_size": 331, "batch_size": 16, "learning_rate": 0.015, "replicas": 100}
TABLE = {
    "layerwise_child": {
        "model_name": "nas_v1",
        "epochs": 50,
        "optimizer": "momentum",
        "momentum": 0.9,
        "nesterov": True,
        "learning_rate": 0.1,
        "weight_decay": 1e-4,
        "dataset_split_name": "train[:45000]",
        "evaluation_split_name": "train[45000:]",
    },
    "nasnet_cifar": {**CIFAR, "batch_size": 32, "augmentation": "cifar"},
    "nasnet_cifar_cutout": {**CIFAR, "batch_size": 32, "augmentation": "cifar_cutout"},
    "nasnet_cifar_short": {
        **CIFAR,
        "batch_size": 128,
        "augmentation": "cifar_cutout",
        "epochs": 60,
        "max_number_of_steps": None,
        "learning_rate": 0.1,
        "warmup_steps": 1_950,
        "drop_path_keep_probability": 0.8,
        "precision": "mixed_bfloat16",
    },
    "pnasnet_cifar": {**CIFAR, "model_name": "pnasnet_cifar"},
    "nasnet_mobile_imagenet": {
        **IMAGENET,
        **MOBILE,
        "model_name": "nasnet_mobile",
        "num_epochs_per_decay": 2.4,
        "scale_learning_rate_by_replicas": True,
        "weight_decay": 4e-5,
        "drop_path_keep_probability": 1.0,
    },
    "nasnet_large_imagenet": {
        **IMAGENET,
        **LARGE,
        "model_name": "nasnet_large",
        "num_epochs_per_decay": 2.4,
        "scale_learning_rate_by_replicas": True,
        "weight_decay": 5e-5,
        "drop_path_keep_probability": 0.7,
    },
    "pnasnet_mobile_imagenet": {
        **IMAGENET,
        **MOBILE,
        "model_name": "pnasnet_mobile",
        "num_epochs_per_decay": 2.2,
        "scale_learning_rate_by_replicas": False,
        "weight_decay": 4e-5,
        "drop_path_keep_probability": 1.0,
    },
    "pnasnet_large_imagenet": {
        **IMAGENET,
        **LARGE,
        "model_name": "pnasnet_large",
        "num_epochs_per_decay": 2.4,
        "scale_learning_rate_by_replicas": False,
        "weight_decay": 4e-5,
        "drop_path_keep_probability": 0.6,
    },
    "search_child": {
        "dataset_name": "cifar10",
        "dataset_split_name": "train[:45000]",
        "evaluation_split_name": "train[45000:]",
        "num_cells": 6,
        "epochs": 20,
        "optimizer": "momentum",
        "momentum": 0.9,
        "learning_rate_decay_type": "cosine",
    },
}


def test_every_recipe_is_in_the_table_but_our_own():
    assert set(list_recipes()) == {"digits", *TABLE}


@pytest.mark.parametrize("name", TABLE)
def test_recipe_has_the_values_of_the_table(name):
    recipe = get_recipe(name)
    assert recipe.name == name
    assert {field: getattr(recipe, field) for field in TABLE[name]} == TABLE[name]


@pytest.mark.parametrize("name", list_recipes())
def test_recipe_fits_its_network(name):
    recipe = get_recipe(name)
    preset = get_preset(recipe.model_name)
    config = recipe_network_config(recipe, drop_path_total_steps=100)
    if recipe.drop_path_keep_probability is not None:
        assert config.drop_path_keep_probability == recipe.drop_path_keep_probability
    if name != "digits":
        assert recipe.train_image_size == preset.image_size


def test_description_has_result_cost_command_and_values_of_each():
    text = describe_recipes()
    assert text.count("Result: ") == text.count("Cost: ") == text.count("Command: `")
    assert text.count("Command: `") == len(list_recipes())
    assert "2.65 %" in text and "rmsprop_decay" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rmsprop_decay": 0.5}, "contradicts optimizer=momentum: it is for rmsprop"),
        ({"opt_epsilon": 0.1}, "it is for rmsprop and adam"),
        ({"num_epochs_per_decay": 1.0}, "contradicts learning_rate_decay_type=cosine"),
        ({"end_learning_rate": 0.1}, "it is for polynomial"),
        ({"moving_average_decay": 1.0}, r"in \[0, 1\), got 1.0"),
        ({"warmup_steps": -1}, "at least 0"),
        ({"drop_path_version": "v4"}, "did you mean 'v1'|expected one of|did you mean"),
        ({"early_stopping_patience": 3}, "contradicts early_stopping=None: it is for evaluation"),
        ({"early_stopping": "val_accuracy"}, "did you mean 'evaluation_accuracy'"),
        ({"class_weights": {"cat": -1}}, "class_weights: cat is a number of at least 0, got -1"),
        ({"class_weights": 2.0}, "class_weights is a table of values or None, got 2.0"),
        ({"optimizer": "rmsprob"}, "did you mean 'rmsprop'"),
        ({"learning_rate_decay_type": "exponental"}, "did you mean 'exponential'"),
    ],
)
def test_contradictions_and_illegal_values_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        get_recipe("nasnet_cifar").override(**change)


def test_setting_is_accepted_together_with_what_gives_it_a_meaning():
    recipe = get_recipe("nasnet_cifar").override(optimizer="rmsprop", rmsprop_decay=0.5)
    assert recipe.rmsprop_decay == 0.5
