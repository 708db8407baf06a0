"""Learning rates and optimizers of recipes, at the steps where they change."""

import math

import keras
import pytest

from nasnet_keras.classification import get_recipe
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.training.optimizers.moving_average import (
    AveragedAdam,
    AveragedRMSProp,
    AveragedSGD,
)
from nasnet_keras.training.optimizers.rmsprop import RMSProp
from nasnet_keras.training.optimizers.schedules import LinearWarmup

MOBILE = get_recipe("nasnet_mobile_imagenet")
# 1,281,167 images at 50 replicas of 32.
STEPS = 1_281_167 / 1600


def test_exponential_falls_in_stairs_and_starts_with_the_replicas_sum():
    schedule = make_learning_rate(MOBILE, 250_000, STEPS, replicas=50)
    decay_steps = int(STEPS * 2.4)
    assert decay_steps == 1921
    for step, stairs in ((0, 0), (1920, 0), (1921, 1), (3841, 1), (3842, 2), (249_999, 130)):
        assert float(schedule(step)) == pytest.approx(2.0 * 0.97**stairs, rel=1e-5)


def test_only_recipes_that_say_so_multiply_by_replicas():
    recipe = get_recipe("pnasnet_mobile_imagenet")
    assert float(make_learning_rate(recipe, 9, STEPS, replicas=50)(0)) == pytest.approx(0.04)
    assert float(make_learning_rate(MOBILE, 9, STEPS)(0)) == pytest.approx(0.04)


def test_cosine_is_one_half_wave_to_zero():
    schedule = make_learning_rate(get_recipe("nasnet_cifar"), 1000, 100.0)
    for step in (0, 250, 500, 999, 1000, 1500):
        expected = 0.025 * (1 + math.cos(math.pi * min(step, 1000) / 1000)) / 2
        assert float(schedule(step)) == pytest.approx(expected, abs=1e-8)


def test_polynomial_is_a_line_that_stays_at_its_end():
    recipe = MOBILE.override(
        learning_rate=0.5,
        learning_rate_decay_type="polynomial",
        num_epochs_per_decay=2.0,
        end_learning_rate=0.1,
    )
    schedule = make_learning_rate(recipe, 1000, 100.0)
    for step, expected in ((0, 0.5), (50, 0.4), (100, 0.3), (200, 0.1), (900, 0.1)):
        assert float(schedule(step)) == pytest.approx(expected, rel=1e-6)


def test_fixed_is_a_number():
    recipe = MOBILE.override(learning_rate_decay_type="fixed")
    assert make_learning_rate(recipe, 10, 5.0, replicas=2) == 0.08


@pytest.mark.parametrize("kind", ["fixed", "cosine"])
def test_warmup_is_a_line_to_the_whole_rate_and_is_saved(kind):
    recipe = get_recipe("nasnet_cifar").override(learning_rate_decay_type=kind)
    plain = make_learning_rate(recipe, 100, 10.0)
    warm = make_learning_rate(recipe.override(warmup_steps=4), 100, 10.0)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(warm))
    assert isinstance(copy, LinearWarmup)
    for step, share in ((0, 0.25), (1, 0.5), (3, 1.0), (50, 1.0)):
        rate = float(plain(step)) if callable(plain) else plain
        assert float(warm(step)) == pytest.approx(share * rate, rel=1e-6)
        assert float(copy(step)) == pytest.approx(share * rate, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "change", "kind", "values"),
    [
        ("nasnet_cifar", {}, keras.optimizers.SGD, {"momentum": 0.9, "global_clipnorm": 5.0}),
        ("nasnet_cifar", {"optimizer": "sgd"}, keras.optimizers.SGD, {"momentum": 0.0}),
        (
            "nasnet_mobile_imagenet",
            {},
            AveragedRMSProp,
            {
                "decay": 0.9,
                "momentum": 0.9,
                "epsilon": 1.0,
                "global_clipnorm": 10.0,
                "moving_average_decay": 0.9999,
            },
        ),
        ("nasnet_mobile_imagenet", {"moving_average_decay": 0.0}, RMSProp, {"epsilon": 1.0}),
        ("nasnet_mobile_imagenet", {"optimizer": "adam"}, AveragedAdam, {"epsilon": 1.0}),
        ("nasnet_cifar", {"optimizer": "adam"}, keras.optimizers.Adam, {"epsilon": 1e-7}),
        ("digits", {"moving_average_decay": 0.99}, AveragedSGD, {"momentum": 0.9}),
    ],
)
def test_optimizer_of_a_recipe(name, change, kind, values):
    optimizer = make_optimizer(get_recipe(name).override(**change), 0.1)
    assert isinstance(optimizer, kind)
    assert isinstance(optimizer, (AveragedAdam, AveragedRMSProp, AveragedSGD)) == (
        "Averaged" in kind.__name__
    )
    config = optimizer.get_config()
    assert {field: config[field] for field in values} == values
