r"""Converts a TF-Slim checkpoint of a published network into a .keras file.

  nasnet-keras convert --model_name=nasnet_mobile \
      --checkpoint_path=nasnet-a_mobile_04_10_2017 --use_moving_averages \
      --output_path=nasnet_mobile.keras

A variable that is missing in the checkpoint or left over is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from nasnet_keras.files.atomic_files import atomic_write, check_can_write, make_directory
from nasnet_keras.files.scratch import scratch
from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.mapped import show_mapped
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import MOST_SIDE, Count, Settings


@dataclass(frozen=True)
class Flags(Settings):
    """How the checkpoint is converted.

    Attributes:
        model_name: The network, a name of nasnet_keras.list_models().
        checkpoint_path: The checkpoint: its prefix, its .index file, the directory that holds it,
            or an archive of one.
        output_path: The .keras file to write.
        num_classes: Number of classes. Default: the checkpoint's.
        image_size: Side of the model's input in pixels. Default: the network's.
        input_shape: 'any' builds a model for images of any size; it excludes --image_size.
        use_moving_averages: Read the moving averages of the weights, as slim evaluates.
        auxiliary_head: Keep the auxiliary classifier, for further training.
        labels_offset: 1 drops class 0, slim's background: 1001 classes become 1000.
        exclude_scopes: Scopes that keep their initial values, e.g. final_layer,aux_7.

    Raises:
        ValueError: Two contradict each other, or the output is not a .keras file.
    """

    _most: ClassVar[dict[str, int]] = {"image_size": MOST_SIDE}

    model_name: str
    checkpoint_path: str
    output_path: str
    num_classes: Count | None = None
    image_size: Count | None = None
    input_shape: Literal["any"] | None = None
    use_moving_averages: bool = False
    auxiliary_head: bool = False
    labels_offset: Literal[0, 1] = 0
    exclude_scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_shape == "any" and self.image_size is not None:
            raise ValueError(f"--input_shape=any contradicts --image_size={self.image_size}")
        if self.input_shape == "any" and self.auxiliary_head:
            raise ValueError(
                "--input_shape=any contradicts --auxiliary_head: that needs a fixed size"
            )
        if Path(self.output_path).suffix != ".keras":
            raise ValueError(f"--output_path ends in .keras, got {self.output_path!r}")
        if self.labels_offset and "final_layer" in self.exclude_scopes:
            raise ValueError("--labels_offset=1 contradicts --exclude_scopes=final_layer")


def main(flags: Flags) -> None:
    if Path(flags.output_path).is_dir():
        raise IsADirectoryError(f"--output_path={flags.output_path} is a directory")
    check_can_write(flags.output_path)
    # The slow imports come after the flags are checked.
    import_keras_quietly()
    import nasnet_keras as nk
    from nasnet_keras.weights import slim_checkpoint_shapes

    preset = nk.get_preset(flags.model_name)
    classes = flags.num_classes
    if classes is None:
        shapes = slim_checkpoint_shapes(flags.checkpoint_path)
        # Without a classifier it belongs to a different network; the loader names what is missing.
        (found,) = shapes.get("final_layer/FC/biases", (preset.classes,))
        classes = max(1, found - flags.labels_offset)
    side = None if flags.input_shape == "any" else flags.image_size or preset.image_size
    model = nk.create_model(
        flags.model_name,
        classes=classes,
        input_shape=(side, side, 3),
        auxiliary_head=flags.auxiliary_head,
    )
    report = nk.load_slim_checkpoint(
        model,
        flags.checkpoint_path,
        use_moving_averages=flags.use_moving_averages,
        exclude_scopes=flags.exclude_scopes,
        drop_background=flags.labels_offset == 1,
    )
    make_directory(Path(flags.output_path).parent)
    with scratch(), atomic_write(flags.output_path) as path:
        model.save(path)
    show_mapped(report, model, flags.output_path)


PROGRAM = Program(main, (Flags,))
