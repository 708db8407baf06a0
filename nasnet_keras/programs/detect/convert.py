r"""Converts a detector of the TF Object Detection API to a run, or a run to its checkpoint.

  nasnet-keras detect convert --checkpoint_path=faster_rcnn_nas_coco_2018_01_28 \
      --output_dir=runs/nas
  nasnet-keras detect convert --checkpoint_path=runs/nas --output_prefix=model.ckpt

A variable that is missing or left over is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nasnet_keras.files.atomic_files import check_can_write, make_directory
from nasnet_keras.files.scratch import scratch
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.mapped import show_mapped
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True)
class Flags(Settings):
    """What is converted into what.

    Attributes:
        checkpoint_path: With --output_dir, an original detector: checkpoint, frozen graph, archive
            or its directory, or coco:NAME. With --output_prefix, a run directory or a .keras file.
        config: Name of the original detector's configuration, or a JSON file with one. Default:
            told by the name of a published archive or its directory.
        output_dir: The run directory to write: config.json and model.keras.
        output_prefix: The checkpoint to write.
        class_names: Names of the classes with commas between, or a file with one a line. Default:
            COCO's for its 90 ids, otherwise numbers.

    Raises:
        ValueError: Not one of the outputs is given, or a configuration with --output_prefix.
    """

    checkpoint_path: str
    config: str | None = None
    output_dir: str | None = None
    output_prefix: str | None = None
    class_names: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.output_dir is None) == (self.output_prefix is None):
            raise ValueError("give either --output_dir, for a run, or --output_prefix")
        if self.config is not None and self.output_dir is None:
            raise ValueError("--config goes with --output_dir: it says which detector it is")


def main(flags: Flags) -> None:
    if flags.output_prefix:
        check_can_write(f"{flags.output_prefix}.index")
        _to_original(flags.checkpoint_path, flags.output_prefix)
    elif flags.output_dir:
        check_can_write(Path(flags.output_dir) / "model.keras")
        _to_run(flags, flags.output_dir)


def _to_original(checkpoint_path: str, prefix: str) -> None:
    import_keras_quietly()
    import nasnet_keras as nk
    from nasnet_keras.detection.inference.trained_detector import load_trained_detector

    trained = load_trained_detector(checkpoint_path)
    nk.save_detector_checkpoint(trained.model, prefix, global_step=trained.step)
    say(f"wrote {prefix}: {len(trained.model.weights):,} variables, step {trained.step}")


def _to_run(flags: Flags, output_dir: str) -> None:
    import_keras_quietly()
    from nasnet_keras.detection.data.class_names import read_class_names
    from nasnet_keras.detection.weights.original_detector import load_original
    from nasnet_keras.files.atomic_files import atomic_write
    from nasnet_keras.training.run_directory import CHECKPOINT_NAME, write_config

    names = read_class_names(flags.class_names) if flags.class_names else None
    detector, run, report = load_original(flags.checkpoint_path, flags.config, names)
    directory = make_directory(output_dir)
    with scratch(), atomic_write(directory / CHECKPOINT_NAME) as path:
        detector.save(path)
    write_config(run, directory)
    show_mapped(report, detector, f"{output_dir}, with {detector.config.classes} classes")


PROGRAM = Program(main, (Flags,))
