"""A good command of every program that ends by itself.

The inputs that it reads, it names by their first word.
"""

from __future__ import annotations

from collections.abc import Iterable

from .inputs import SEARCH, TINY

# Without `demo`: if a changed line leaves its flags good, its page is there until someone ends it.
COMMANDS: dict[str, tuple[str, ...]] = {
    "train": (
        "--recipe=digits",
        "--train_dir=out/run",
        *TINY,
        "--max_number_of_steps=1",
        "--notensorboard",
    ),
    "eval": ("--checkpoint_path=run", "--eval_dir=out/eval", "--max_num_batches=1"),
    "classify": ("--model=run", "images/a.png"),
    "export": ("--checkpoint_path=run", "--output_dir=out/saved", "--format=onnx"),
    "export-saved-model": ("--checkpoint_path=run", "--output_dir=out/saved"),
    "convert": (
        "--model_name=nasnet_cifar",
        "--checkpoint_path=weights/model.ckpt-1",
        "--output_path=out/x.keras",
    ),
    "check-data": ("--dataset_dir=folder", "--output=out/findings.json"),
    "search run": (*SEARCH, "--run_dir=search", "--budget=20"),
    "search status": ("--run_dir=search",),
    "search top": ("--run_dir=search", "--count=3"),
    "search rerank": ("--run_dir=search", "--count=2"),
    "search final": ("--run_dir=search", "--count=2"),
    "search report": ("--run_dir=search", "--output=out/x.html"),
    "search draw": ("--genotype=genotype.json", "--output=out/x.svg"),
    "search export": ("--run_dir=search", "--output=out/x.json"),
    "detect make-toy-dataset": ("--output_dir=out/toy", "--train_images=2", "--val_images=2"),
    "detect train": (
        "--config=detector.json",
        "--dataset_dir=coco",
        "--train_dir=out/det",
        "--notensorboard",
    ),
    "detect eval": ("--checkpoint_path=det", "--dataset_dir=coco", "--eval_dir=out/eval"),
    "detect predict": ("--checkpoint_path=det", "--output_dir=out/found", "images/a.jpg"),
    "detect export": ("--checkpoint_path=det", "--output_dir=out/exported"),
    "detect convert": ("--checkpoint_path=det", "--output_prefix=out/model.ckpt"),
    "detect browse": ("--dataset_dir=coco", "--results=results.json", "--output_dir=out/seen"),
}


def inputs_of(words: Iterable[str], known: Iterable[str]) -> set[str]:
    """Returns the inputs that a command line names."""
    firsts = {word.rpartition("=")[2].partition("/")[0] for word in words}
    return firsts.intersection(known)
