"""A small trained classifier and its SavedModel, made once."""

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.export import export_saved_model
from tests.export.encoded_pictures import NAMES
from tests.one_block_cells import GENOTYPE


@pytest.fixture(scope="session")
def trained():
    """A network as training leaves it: auxiliary head and drop path included."""
    keras.utils.set_random_seed(3)
    model = nk.create_model(
        "nasnet_cifar",
        classes=len(NAMES),
        input_shape=(16, 16, 3),
        auxiliary_head=True,
        genotype=GENOTYPE,
        num_cells=2,
        filters=2,
        stem_filters=4,
        drop_path_keep_probability=0.5,
        drop_path_total_steps=10,
    )
    for weight in model.weights:
        if weight.path == "final_layer/FC/kernel":
            # Untrained logits are tens apart, which would hide all classes but one.
            weight.assign(weight * 0.05)
    return TrainedModel(model, NAMES, image_size=16, preprocessing_name="scale")


@pytest.fixture(scope="session")
def saved(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "saved_model"
    assert export_saved_model(trained, path, top_k=3) < 1e-5
    return path


@pytest.fixture(scope="session")
def pictures():
    return np.random.default_rng(5).integers(0, 256, (2, 20, 30, 3), np.uint8)
