"""An answer is numbers or an error."""

import io

import keras
import numpy as np
import pytest
from PIL import Image

import nasnet_keras as nk
from nasnet_keras.classification.classifier import load_classifier


@pytest.mark.parametrize("value", [3e38, 0.0])
def test_an_answer_that_overflows_is_an_error_and_none_else(value, tmp_path):
    model = nk.create_model("nasnet_cifar", num_cells=2, filters=2, stem_filters=4)
    for variable in model.get_layer("final_layer").weights:
        variable.assign(np.full(variable.shape, value))
    model.save(tmp_path / "model.keras")
    stream = io.BytesIO()
    Image.new("RGB", (32, 32), "red").save(stream, "png")
    classifier = load_classifier(tmp_path / "model.keras", top_k=10)
    if value:
        with pytest.raises(ValueError, match="answers with numbers that are not finite"):
            classifier.classify(stream.getvalue())
    else:
        assert [score for _, score in classifier.classify(stream.getvalue())] == [
            pytest.approx(0.1)
        ] * 10


def test_a_network_that_is_no_number_does_not_load(tmp_path):
    model = nk.create_model("nasnet_cifar", num_cells=2, filters=2, stem_filters=4)
    model.get_layer("final_layer").weights[0].assign(
        keras.ops.full(model.get_layer("final_layer").weights[0].shape, np.nan)
    )
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match=r"not finite .*: final_layer/FC/kernel \(\d+ of"):
        load_classifier(tmp_path / "model.keras")
