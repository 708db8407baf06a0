"""The kinds of bad inputs: which file is damaged, how, and which commands read it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .byte_damage import damage_bytes
from .commands import COMMANDS
from .disguises import replace_path
from .journal_damage import damage_lines
from .json_damage import damage_json
from .weights_damage import damage_hdf5, damage_keras, damage_npz
from .xml_damage import damage_xml

# The part that is damaged as what the file is; the rest by its bytes or its place.
_BY_CONTENT = 0.6
_BY_BYTES = 0.8


@dataclass(frozen=True)
class Kind:
    """A kind of damaged files.

    Attributes:
        weight: How many of all cases are of it, relative to other kinds.
        files: Patterns of the files below the inputs.
        commands: Command lines that read them; `FILE` is the file.
        continued: Inputs that a command may change once it accepts them: a run that goes on.
        listing: Whether a program may list more than one problem of it before its last line.
        answered: Whether a program that found one bad file writes its answer on the others.
    """

    weight: int
    files: tuple[str, ...]
    commands: tuple[str, ...]
    continued: tuple[str, ...] = ()
    listing: bool = False
    answered: bool = False


_TINY = " ".join(COMMANDS["train"])
_GO_ON = _TINY.replace("out/run", "run")
_SEARCH_RUN = "search run " + " ".join(COMMANDS["search run"])
_DETECT_TRAIN = "detect train " + " ".join(COMMANDS["detect train"])
_START = f"train {_TINY} --checkpoint_path=FILE"
_SHOW = (
    "search status --run_dir=search",
    "search top --run_dir=search",
    "search report --run_dir=search --output=out/x.html",
    "search draw --run_dir=search --output=out/x.svg",
    "search export --run_dir=search --output=out/x.json",
)

KINDS: dict[str, Kind] = {
    "genotype": Kind(
        8,
        ("genotype.json",),
        ("search draw --genotype=FILE --output=out/x.svg", f"train {_TINY} --genotype=FILE"),
    ),
    "configuration of a run": Kind(
        6,
        ("run/config.json",),
        (
            "classify --model=run images/a.png",
            "eval --checkpoint_path=run --max_num_batches=1",
            "export-saved-model --checkpoint_path=run --output_dir=out/saved",
            f"train {_GO_ON}",
        ),
        continued=("run",),
    ),
    "log of a run": Kind(3, ("run/metrics.jsonl",), (f"train {_GO_ON}",), continued=("run",)),
    "configuration of a search": Kind(
        6, ("search/config.json",), (*_SHOW, _SEARCH_RUN), continued=("search",)
    ),
    "journal of a search": Kind(
        10, ("search/journal.jsonl",), (*_SHOW, _SEARCH_RUN), continued=("search",)
    ),
    "snapshot of a search": Kind(
        3, ("search/snapshot.npz",), (_SEARCH_RUN,), continued=("search",)
    ),
    "configuration of a detector": Kind(5, ("detector.json",), (_DETECT_TRAIN,)),
    "configuration of a detector's run": Kind(
        4,
        ("det/config.json",),
        (
            "detect predict --checkpoint_path=det --output_dir=out/found images/a.jpg",
            "detect eval --checkpoint_path=det --dataset_dir=coco",
            "detect export --checkpoint_path=det --output_dir=out/exported",
        ),
    ),
    "COCO annotations": Kind(
        12,
        ("coco/annotations/instances_train2017.json", "coco/annotations/instances_val2017.json"),
        (
            _DETECT_TRAIN,
            f"{_DETECT_TRAIN} --drop_invalid",
            "detect browse --dataset_dir=coco --results=results.json --output_dir=out/seen",
            "check-data --dataset_dir=coco",
        ),
        listing=True,
    ),
    "VOC annotations": Kind(
        8,
        ("voc/Annotations/*.xml", "voc/ImageSets/Main/*.txt"),
        (
            "detect browse --dataset_dir=voc --results=results.json --output_dir=out/seen",
            "detect browse --dataset_dir=voc --results=results.json --output_dir=out/seen "
            "--drop_invalid",
            "check-data --dataset_dir=voc",
        ),
        listing=True,
    ),
    "detections": Kind(
        5,
        ("results.json",),
        ("detect browse --dataset_dir=coco --results=FILE --output_dir=out/seen",),
        listing=True,
    ),
    "lists": Kind(
        4,
        ("lists/*.txt",),
        (
            "detect eval --checkpoint_path=det --dataset_dir=coco --image_ids=FILE",
            "detect predict --checkpoint_path=det --class_names=FILE --output_dir=out/f "
            "images/a.jpg",
        ),
    ),
    "weights: .weights.h5": Kind(
        6, ("weights/tiny.weights.h5", "weights/applications.weights.h5"), (_START,)
    ),
    "weights: .h5": Kind(4, ("weights/applications.h5",), (_START,)),
    "weights: .keras": Kind(
        8,
        ("run/model.keras",),
        (
            "classify --model=FILE images/a.png",
            f"train {_TINY} --checkpoint_path=FILE",
            f"train {_GO_ON}",
        ),
        continued=("run",),
    ),
    "weights: slim": Kind(
        4,
        ("weights/model.ckpt-1.index", "weights/model.ckpt-1.data-00000-of-00001"),
        (
            f"train {_TINY} --checkpoint_path=weights/model.ckpt-1",
            "convert --model_name=nasnet_cifar --checkpoint_path=weights/model.ckpt-1 "
            "--output_path=out/x.keras",
        ),
    ),
    "weights: detector": Kind(
        3,
        ("det/model.keras",),
        ("detect predict --checkpoint_path=FILE --output_dir=out/found images/a.jpg",),
    ),
    "SavedModel": Kind(
        2,
        ("saved_model/saved_model.pb", "saved_model/variables/*", "saved_model/assets.extra/*"),
        ("classify --model=saved_model images/a.png",),
    ),
    "images, classified": Kind(8, ("images/*",), ("classify --model=run FILE",)),
    "images, detected on": Kind(
        5,
        ("images/*",),
        ("detect predict --checkpoint_path=det --output_dir=out/found FILE",),
        answered=True,
    ),
    "images, served": Kind(3, ("images/*",), ("classify --model=saved_model FILE",)),
    "image folder": Kind(
        4,
        ("folder/test/*/*.jpg",),
        (
            "check-data --dataset_dir=folder",
            "eval --checkpoint_path=run --dataset_name=image_folder --dataset_dir=folder "
            "--labels_offset=0",
        ),
        listing=True,
    ),
    "cifar10.npz": Kind(
        4,
        ("cifar/cifar10.npz",),
        (
            "eval --checkpoint_path=run --dataset_name=cifar10 --dataset_dir=cifar",
            f"train {_TINY} --dataset_name=cifar10 --dataset_dir=cifar",
        ),
    ),
    "TFRecord": Kind(
        4,
        ("records/*.tfrecord", "records/labels.txt"),
        (f"train {_TINY} --dataset_name=flowers --dataset_dir=records "
         "--evaluation_split_name=validation --preprocessing_name=inception",),
    ),
}  # fmt: skip


def damage_file(
    kind: Kind, directory: Path, source: random.Random, copy: Callable[[str], None]
) -> tuple[list[str], str]:
    """Damages a file of a kind in a directory of copies.

    Args:
        kind: The kind.
        directory: The working directory of the command.
        source: What decides.
        copy: Copies an input there.

    Returns:
        The words of the command, and what was done.
    """
    pattern = source.choice(kind.files)
    copy(pattern.partition("/")[0])
    path = source.choice(sorted(directory.glob(pattern)))
    chance = source.random()
    if chance < _BY_CONTENT and path.suffix in _BY_SUFFIX:
        how = _BY_SUFFIX[path.suffix](path, source)
    elif chance < _BY_BYTES:
        content, how = damage_bytes(path.read_bytes(), source)
        path.write_bytes(content)
    else:
        how = f"is {replace_path(path, source)}"
    name = str(path.relative_to(directory))
    return source.choice(kind.commands).replace("FILE", name).split(), f"{name} {how}"


def _as_text(damage: Callable[[str, random.Random], tuple[str, str]]):
    def change(path: Path, source: random.Random) -> str:
        text, how = damage(path.read_text("utf-8"), source)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return how

    return change


_BY_SUFFIX: dict[str, Callable[[Path, random.Random], str]] = {
    ".json": _as_text(damage_json),
    ".jsonl": _as_text(damage_lines),
    ".xml": _as_text(damage_xml),
    ".h5": damage_hdf5,
    ".keras": damage_keras,
    ".npz": damage_npz,
}
