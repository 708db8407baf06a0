"""timm's network, channels last, automatic bfloat16, eager and under `torch.compile`: images/s.

Started by `gpu_report.py`. Neither JAX nor Keras is imported. Eager comes first: it is measured
within seconds, and compiling takes minutes.

    python timm_throughput.py NETWORK TRAINING_BATCH INFERENCE_BATCH BLOCK_SECONDS ROUNDS
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# In the place of this folder, whose files have names that others use.
sys.path[:1] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]
from accelerator.processes import emit, end_with_parent
from nasnet_keras.out_of_memory import is_out_of_memory

SIZE, CLASSES = 331, 1000
_MOST_STEPS = 200


def main(network: str, training: int, inference: int, block_seconds: float, rounds: int) -> None:
    import timm
    import torch

    if not torch.cuda.is_available():
        raise SystemExit("torch sees no GPU here")
    emit({"kind": "environment", "torch": torch.__version__, "timm": timm.__version__})
    # As JAX does by default.
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    model = timm.create_model(network, pretrained=False, num_classes=CLASSES)
    model = model.to("cuda", memory_format=torch.channels_last)
    compiled = torch.compile(model)
    for mode, batch, make in (
        ("training", training, training_step),
        ("inference", inference, inference_step),
    ):
        model.train(mode == "training")
        for side, called in (("timm, eager", model), ("timm, compiled", compiled)):
            row = {"kind": "throughput", "side": side, "network": network, "size": SIZE}
            row |= {"precision": "mixed_bfloat16", "mode": mode, "batch": batch}
            try:
                emit(row | measure(make(called, batch), batch, block_seconds, rounds))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                emit(row | {"outcome": "out of memory"})


def training_step(model: Any, batch: int) -> Callable[[], Any]:
    """Returns a step with cross-entropy and RMSProp."""
    import torch

    optimizer = torch.optim.RMSprop(model.parameters(), lr=0.01, alpha=0.9, momentum=0.9, eps=1.0)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    images, labels = random_images(batch), torch.arange(batch, device="cuda") % CLASSES

    def step() -> Any:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cuda", torch.bfloat16):
            loss = loss_of(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def inference_step(model: Any, batch: int) -> Callable[[], Any]:
    import torch

    images = random_images(batch)

    def step() -> Any:
        with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16):
            return model(images).float().softmax(-1)

    return step


def random_images(batch: int) -> Any:
    import torch

    images = torch.rand(batch, 3, SIZE, SIZE, device="cuda") * 2 - 1
    return images.to(memory_format=torch.channels_last)


def measure(
    step: Callable[[], Any], batch: int, block_seconds: float, rounds: int
) -> dict[str, Any]:
    """Compiles and times blocks."""
    import torch

    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    first = run(step, 1)
    # Kernels are chosen.
    run(step, 2)
    steps = min(_MOST_STEPS, max(1, round(block_seconds / run(step, 1))))
    seconds = [run(step, steps) / steps for _ in range(rounds)]
    low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return {
        "blocks": rounds,
        "steps_of_a_block": steps,
        "step_seconds": middle,
        "images_per_second": batch / middle,
        "images_per_second_quartiles": [batch / high, batch / low],
        "compile_seconds": first - middle,
        "first_call_seconds": first,
        "peak_bytes": torch.cuda.max_memory_allocated(),
        "outcome": "measured",
    }


def run(step: Callable[[], Any], steps: int) -> float:
    """Returns the seconds of so many steps."""
    import torch

    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return time.perf_counter() - start


if __name__ == "__main__":
    end_with_parent()
    name, *sizes = sys.argv[1:]
    main(name, int(sizes[0]), int(sizes[1]), float(sizes[2]), int(sizes[3]))
