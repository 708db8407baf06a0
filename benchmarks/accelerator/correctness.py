"""Does the device give the original code's numbers?"""

from __future__ import annotations

from typing import Any

from accelerator.compiled import on_device, on_host, values


def logits_difference(name: str) -> dict[str, Any]:
    """Runs a golden network in float32 and compares its logits with the original's.

    Products are computed in full float32, which devices with TF32 do on request only.

    Returns:
        The largest difference, by itself and as a fraction of the largest logit.
    """
    import jax
    import numpy as np

    from tests.golden_network import golden_images, golden_network, golden_values

    with on_host():
        network = golden_network(name)
    weights = on_device(values(network.trainable_variables))
    state = on_device(values(network.non_trainable_variables))

    def logits(weights: Any, state: Any, images: Any) -> Any:
        return network.stateless_call(weights, state, images, training=False)[0]

    with jax.default_matmul_precision("highest"):
        ours = np.asarray(jax.jit(logits)(weights, state, on_device(golden_images(name, 2))))
    golden = golden_values()[f"{name}|eval|logits"]
    difference = float(np.abs(ours - golden).max())
    return {
        "network": name,
        "difference": difference,
        "relative_difference": difference / float(np.abs(golden).max()),
    }
