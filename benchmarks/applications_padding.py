"""How far is `padding="keras_applications"` from keras.applications' own numbers?

Builds keras.applications' networks with random weights, loads them into ours and prints the largest
difference of the logits of one image beside their deviation. Aim: 1e-5.

    python benchmarks/applications_padding.py [--output=padding.json]
"""

from __future__ import annotations

from typing import Any

from absl import flags
from measurement import check_output, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_NETWORKS = {"nasnet_mobile": "NASNetMobile", "nasnet_large": "NASNetLarge"}
_SIZES = {
    "nasnet_mobile": ((224, 224), (331, 331), (225, 225), (97, 99)),
    "nasnet_large": ((331, 331), (224, 224), (225, 243)),
}


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    rows = [measure(name, size) for name, sizes in _SIZES.items() for size in sizes]
    for row in rows:
        print("| {network} | {size} | {difference:.1e} | {deviation:.1e} |".format(**row))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def measure(name: str, size: tuple[int, int]) -> dict[str, Any]:
    import keras
    import numpy as np

    keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    shape = (*size, 3)
    theirs = getattr(keras.applications, _NETWORKS[name])(
        shape, weights=None, classifier_activation=None
    )
    ours = nk.create_model(
        name, 1000, shape, classifier_activation=None, padding="keras_applications"
    )
    nk.load_keras_applications_weights(ours, theirs)
    images = np.random.default_rng(2).uniform(-1, 1, (1, *shape)).astype("float32")
    expected, found = (model.predict(images, verbose=0) for model in (theirs, ours))
    return {
        "network": name,
        "size": "x".join(map(str, size)),
        "difference": float(np.abs(found - expected).max()),
        "deviation": float(expected.std()),
    }


if __name__ == "__main__":
    run(main)
