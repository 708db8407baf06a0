"""The recipes by name: what each run is, what it reaches and what it costs."""

from __future__ import annotations

import dataclasses
import inspect

from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.text.suggestions import unknown_name


def digits() -> Recipe:
    """A small NASNet-A on scikit-learn's handwritten digits, the whole method in a minute.

    Result: 99 % test accuracy, half a percent either way (360 scans; there is no published one).
    Cost: about a minute on two CPU cores, a third of it to trace and compile the training step.
    Command: `python train_image_classifier.py --recipe=digits --train_dir=runs/digits`
    """
    return Recipe(
        name="digits",
        dataset_name="digits",
        model_name="nasnet_cifar",
        num_cells=3,
        filters=8,
        stem_filters=24,
        # The scans have 8x8 pixels; at 16x16 the auxiliary head has the 5x5 features it pools.
        train_image_size=16,
        preprocessing_name="scale",
        augmentation="shift",
        batch_size=64,
        epochs=15,
        learning_rate=0.1,
        weight_decay=5e-4,
        drop_path_keep_probability=0.9,
        gradient_clip_norm=5.0,
    )


def nasnet_cifar() -> Recipe:
    """NASNet-A (6 @ 768) on CIFAR-10, as in Zoph et al. 2018.

    Result: published 3.41 % test error (table 1). Not measured here.
    Cost: 937,500 steps of 32 images, 600 epochs, on one accelerator.
    Command: `python train_image_classifier.py --recipe=nasnet_cifar --train_dir=runs/cifar`

    slim's own program cannot run it: it has neither the cosine nor the clipping, and passes a
    weight decay of 4e-5 for every network.
    """
    return Recipe(
        name="nasnet_cifar",
        dataset_name="cifar10",
        model_name="nasnet_cifar",
        train_image_size=32,
        preprocessing_name="whiten",
        augmentation="cifar",
        batch_size=32,
        epochs=600,
        # 600 epochs of 1562.5 batches; it is also the length of drop path's schedule.
        max_number_of_steps=937_500,
        optimizer="momentum",
        momentum=0.9,
        learning_rate=0.025,
        learning_rate_decay_type="cosine",
        weight_decay=5e-4,
        auxiliary_weight=0.4,
        drop_path_keep_probability=0.6,
        drop_path_version="v3",
        dropout=0.0,
        gradient_clip_norm=5.0,
    )


def nasnet_cifar_cutout() -> Recipe:
    """`nasnet_cifar` with a square of 16x16 pixels cut out of each training image.

    Result: published 2.65 % test error (Zoph et al. 2018, table 1). Not measured here.
    Cost: that of `nasnet_cifar`.
    Command: `python train_image_classifier.py --recipe=nasnet_cifar_cutout --train_dir=runs/cutout`
    """
    return dataclasses.replace(
        nasnet_cifar(), name="nasnet_cifar_cutout", augmentation="cifar_cutout"
    )


def nasnet_cifar_short() -> Recipe:
    """`nasnet_cifar_cutout` in a tenth of its epochs, for a quarter of an hour of an accelerator.

    Result: not measured; expected before any run: 4.5 % test error, half a percent either way.
    Cost: 23,400 steps of 128 images, 60 epochs; 15 minutes at 3,300 images a second.
    Command: `python train_image_classifier.py --recipe=nasnet_cifar_short --train_dir=runs/short`

    Not of the paper: four times its batch with four times its learning rate, reached over five
    epochs; a network that trains for so short a time keeps more of its paths.
    """
    return dataclasses.replace(
        nasnet_cifar_cutout(),
        name="nasnet_cifar_short",
        batch_size=128,
        epochs=60,
        max_number_of_steps=None,
        learning_rate=0.1,
        warmup_steps=1_950,
        drop_path_keep_probability=0.8,
        precision="mixed_bfloat16",
    )


def pnasnet_cifar() -> Recipe:
    """PNASNet-5 (3 @ 48) on CIFAR-10, as in Liu et al. 2018.

    Result: published 3.41 % test error, 0.09 either way (table 3). Not measured here.
    Cost: 937,500 steps of 32 images, 600 epochs; the search's best were chosen after 300.
    Command: `python train_image_classifier.py --recipe=pnasnet_cifar --train_dir=runs/pnasnet`

    The paper does not give the batch, the weight decay and the clipping: they are NASNet's.
    """
    return dataclasses.replace(nasnet_cifar(), name="pnasnet_cifar", model_name="pnasnet_cifar")


def nasnet_mobile_imagenet() -> Recipe:
    """NASNet-A (4 @ 1056) on ImageNet at 224 pixels, as in Zoph et al. 2018.

    Result: published 74.0 % top-1, 91.6 % top-5 (table 3). Not measured here.
    Cost: 250,000 steps of 50 replicas in step (and 3 to spare) with 32 images each.
    Command: `python train_image_classifier.py --recipe=nasnet_mobile_imagenet
    --train_dir=runs/mobile`

    The learning rate is a replica's: 50 replicas train with 50 times 0.04.
    """
    return Recipe(
        name="nasnet_mobile_imagenet",
        dataset_name="imagenet2012",
        evaluation_split_name="validation",
        model_name="nasnet_mobile",
        train_image_size=224,
        preprocessing_name="inception",
        batch_size=32,
        # 250,000 steps of 1,600 images.
        epochs=312,
        max_number_of_steps=250_000,
        optimizer="rmsprop",
        rmsprop_decay=0.9,
        rmsprop_momentum=0.9,
        opt_epsilon=1.0,
        learning_rate=0.04,
        learning_rate_decay_type="exponential",
        learning_rate_decay_factor=0.97,
        num_epochs_per_decay=2.4,
        moving_average_decay=0.9999,
        replicas=50,
        scale_learning_rate_by_replicas=True,
        weight_decay=4e-5,
        label_smoothing=0.1,
        auxiliary_weight=0.4,
        drop_path_keep_probability=1.0,
        dropout=0.5,
        gradient_clip_norm=10.0,
    )


def nasnet_large_imagenet() -> Recipe:
    """NASNet-A (6 @ 4032) on ImageNet at 331 pixels, as in Zoph et al. 2018.

    Result: published 82.7 % top-1, 96.2 % top-5 (table 2). Not measured here.
    Cost: 250,000 steps of 100 replicas in step with 16 images each.
    Command: `python train_image_classifier.py --recipe=nasnet_large_imagenet
    --train_dir=runs/large`

    The learning rate is a replica's: 100 replicas train with 100 times 0.015.
    """
    return dataclasses.replace(
        nasnet_mobile_imagenet(),
        name="nasnet_large_imagenet",
        model_name="nasnet_large",
        train_image_size=331,
        batch_size=16,
        learning_rate=0.015,
        replicas=100,
        weight_decay=5e-5,
        drop_path_keep_probability=0.7,
        drop_path_version="v3",
    )


def pnasnet_mobile_imagenet() -> Recipe:
    """PNASNet-5 (3 @ 54) on ImageNet at 224 pixels, as in Liu et al. 2018.

    Result: published 74.2 % top-1, 91.9 % top-5 (table 4). Not measured here.
    Cost: 250,000 steps of 50 workers with 32 images each.
    Command: `python train_image_classifier.py --recipe=pnasnet_mobile_imagenet
    --train_dir=runs/pnasnet_mobile`

    The paper gives 0.04 for 50 workers and does not say that they multiply it.
    """
    return dataclasses.replace(
        nasnet_mobile_imagenet(),
        name="pnasnet_mobile_imagenet",
        model_name="pnasnet_mobile",
        num_epochs_per_decay=2.2,
        scale_learning_rate_by_replicas=False,
    )


def pnasnet_large_imagenet() -> Recipe:
    """PNASNet-5 (4 @ 216) on ImageNet at 331 pixels, as in Liu et al. 2018.

    Result: published 82.9 % top-1, 96.2 % top-5 (table 5). Not measured here.
    Cost: 250,000 steps of 100 workers with 16 images each.
    Command: `python train_image_classifier.py --recipe=pnasnet_large_imagenet
    --train_dir=runs/pnasnet_large`

    The paper gives 0.015 for 100 workers and does not say that they multiply it.
    """
    return dataclasses.replace(
        nasnet_mobile_imagenet(),
        name="pnasnet_large_imagenet",
        model_name="pnasnet_large",
        train_image_size=331,
        batch_size=16,
        learning_rate=0.015,
        replicas=100,
        scale_learning_rate_by_replicas=False,
        drop_path_keep_probability=0.6,
        drop_path_version="v3",
    )


def search_child() -> Recipe:
    """What a search trains to judge an architecture: N = 2, 20 epochs, 45,000 images of CIFAR-10.

    Result: only the order of the children counts; 5,000 training images are kept for it. Not
    measured here.
    Cost: 28,120 steps of 32 images.
    Command: `python train_image_classifier.py --recipe=search_child --train_dir=runs/child`

    Source: Zoph et al. 2018, appendix A.6. Filters, weight decay and the absence of an auxiliary
    head and of drop path are ours: the paper does not give them.
    """
    return Recipe(
        name="search_child",
        dataset_name="cifar10",
        dataset_split_name="train[:45000]",
        evaluation_split_name="train[45000:]",
        model_name="nasnet_cifar",
        num_cells=6,
        filters=32,
        stem_filters=96,
        train_image_size=32,
        preprocessing_name="whiten",
        augmentation="cifar",
        batch_size=32,
        epochs=20,
        optimizer="momentum",
        momentum=0.9,
        learning_rate=0.025,
        learning_rate_decay_type="cosine",
        weight_decay=5e-4,
        auxiliary_weight=0.0,
        drop_path_keep_probability=1.0,
        gradient_clip_norm=5.0,
    )


def layerwise_child() -> Recipe:
    """What a layer-wise search trains to judge an architecture: 50 epochs on CIFAR-10.

    Result: only the order of the children counts; 5,000 training images are kept for it. Not
    measured here. Without a genotype it trains `nas_v1`, which has 5.50 % test error as published,
    trained longer.
    Cost: 35,150 steps of 64 images.
    Command: `python train_image_classifier.py --recipe=layerwise_child --train_dir=runs/layers`

    Source: Zoph and Le 2017, section 4.1. The batch and the cosine are ours: the paper refers to
    Huang et al. 2016, whose learning rate falls twice in a longer training.
    """
    return Recipe(
        name="layerwise_child",
        dataset_name="cifar10",
        dataset_split_name="train[:45000]",
        evaluation_split_name="train[45000:]",
        model_name="nas_v1",
        train_image_size=32,
        preprocessing_name="whiten",
        augmentation="cifar",
        batch_size=64,
        epochs=50,
        optimizer="momentum",
        momentum=0.9,
        nesterov=True,
        learning_rate=0.1,
        learning_rate_decay_type="cosine",
        weight_decay=1e-4,
        auxiliary_weight=0.0,
    )


_RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        digits,
        nasnet_cifar,
        nasnet_cifar_cutout,
        nasnet_cifar_short,
        nasnet_mobile_imagenet,
        nasnet_large_imagenet,
        pnasnet_cifar,
        pnasnet_mobile_imagenet,
        pnasnet_large_imagenet,
        search_child,
        layerwise_child,
    )
}


def list_recipes() -> list[str]:
    """Returns the names of the recipes."""
    return list(_RECIPES)


def get_recipe(name: str) -> Recipe:
    """Returns a recipe by name.

    Raises:
        ValueError: There is none of that name; the nearest is suggested.
    """
    if name not in _RECIPES:
        raise ValueError(unknown_name("recipe", name, _RECIPES))
    return _RECIPES[name]()


def describe_recipes() -> str:
    """Returns every recipe's docstring and values as text."""
    parts = []
    for name, function in _RECIPES.items():
        parts.append(f"{name}: {inspect.getdoc(function)}\n")
        values = function().to_dict()
        width = max(map(len, values))
        parts.extend(
            f"  {field:{width}}  {value}" for field, value in values.items() if field != "name"
        )
        parts.append("")
    return "\n".join(parts).rstrip()
