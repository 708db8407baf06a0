"""Converts a TF-Slim checkpoint of a published network into a .keras file.

    python export/convert_slim_checkpoint.py --model_name=nasnet_mobile \\
        --checkpoint_path=nasnet-a_mobile_04_10_2017 --use_moving_averages \\
        --output_path=nasnet_mobile.keras
"""

from collections import Counter
from math import prod
from pathlib import Path

from absl import flags

from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.whole_files import check_can_write, make_directory, written_whole

FLAGS = flags.FLAGS
flags.DEFINE_string("model_name", None, "Which network, a name of nasnet_keras.list_models().")
flags.DEFINE_string(
    "checkpoint_path",
    None,
    "The checkpoint: its prefix, its .index file, or the directory that holds it.",
)
flags.DEFINE_string("output_path", None, "The .keras file to write.")
flags.DEFINE_integer(
    "num_classes", None, "Number of classes. Default: the checkpoint's.", lower_bound=1
)
flags.DEFINE_integer(
    "image_size",
    None,
    "Side of the model's input in pixels. Default: the network's own.",
    lower_bound=1,
)
flags.DEFINE_enum(
    "input_shape",
    None,
    ["any"],
    "'any' builds a model for images of any size; it excludes --image_size.",
)
flags.DEFINE_bool(
    "use_moving_averages", False, "Reads the moving averages of the weights, as slim evaluates."
)
flags.DEFINE_bool("auxiliary_head", False, "Keeps the auxiliary classifier, for more training.")
flags.DEFINE_integer(
    "labels_offset",
    0,
    "1 leaves out class 0, slim's background: 1001 classes become 1000.",
    lower_bound=0,
    upper_bound=1,
)
flags.DEFINE_list(
    "exclude_scopes", [], "Scopes that keep their initial values, e.g. final_layer,aux_7."
)


def main(_: list[str]) -> None:
    """Converts as the flags say."""
    check_flags()
    # The slow imports come after the flags are known to be right.
    import_keras_quietly()
    import nasnet_keras as nk
    from nasnet_keras.weights import slim_checkpoint_shapes

    preset = nk.get_preset(FLAGS.model_name)
    classes = FLAGS.num_classes
    if classes is None:
        shapes = slim_checkpoint_shapes(FLAGS.checkpoint_path)
        # Without a classifier it is another network's, and the loader says what is missing.
        (found,) = shapes.get("final_layer/FC/biases", (preset.classes,))
        classes = max(1, found - FLAGS.labels_offset)
    side = None if FLAGS.input_shape == "any" else FLAGS.image_size or preset.image_size
    model = nk.create_model(
        FLAGS.model_name,
        classes=classes,
        input_shape=(side, side, 3),
        auxiliary_head=FLAGS.auxiliary_head,
    )
    report = nk.load_slim_checkpoint(
        model,
        FLAGS.checkpoint_path,
        use_moving_averages=FLAGS.use_moving_averages,
        exclude_scopes=FLAGS.exclude_scopes,
        drop_background=FLAGS.labels_offset == 1,
    )
    make_directory(Path(FLAGS.output_path).parent)
    with written_whole(FLAGS.output_path) as path:
        model.save(path)
    show(report, model)


def check_flags() -> None:
    """Refuses what is wrong before any work starts.

    Raises:
        ValueError: A flag is missing, or two contradict each other.
        OSError: The output cannot be written.
    """
    for name in ("model_name", "checkpoint_path", "output_path"):
        if not FLAGS[name].value:
            raise ValueError(f"--{name} is missing")
    if FLAGS.input_shape == "any" and FLAGS.image_size is not None:
        raise ValueError(f"--input_shape=any contradicts --image_size={FLAGS.image_size}")
    if FLAGS.input_shape == "any" and FLAGS.auxiliary_head:
        raise ValueError("--input_shape=any contradicts --auxiliary_head: that needs a fixed size")
    output = Path(FLAGS.output_path)
    if output.suffix != ".keras":
        raise ValueError(f"--output_path ends in .keras, got {FLAGS.output_path!r}")
    if output.is_dir():
        raise IsADirectoryError(f"--output_path={FLAGS.output_path} is a directory")
    if FLAGS.labels_offset and "final_layer" in FLAGS.exclude_scopes:
        raise ValueError("--labels_offset=1 contradicts --exclude_scopes=final_layer")
    check_can_write(output)


def show(report, model) -> None:
    """Prints what was mapped."""
    from rich.console import Console
    from rich.table import Table

    sizes = {variable.path: prod(variable.shape) for variable in model.weights}
    variables, parameters = Counter(), Counter()
    for path in report.assigned:
        scope = path.split("/", 1)[0]
        variables[scope] += 1
        parameters[scope] += sizes[path]
    table = Table("scope", title=report.source, show_footer=True)
    table.columns[0].footer = "total"
    for header, counts in (("variables", variables), ("parameters", parameters)):
        table.add_column(header, justify="right", footer=f"{sum(counts.values()):,}")
    for scope in variables:
        table.add_row(scope, f"{variables[scope]:,}", f"{parameters[scope]:,}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    if report.averaged:
        console.print(f"from moving averages: {report.averaged:,} variables")
    if report.kept:
        console.print(f"left at their initial values: {len(report.kept):,} variables of the model")
    if report.skipped:
        scopes = ", ".join(sorted({name.split("/", 1)[0] for name in report.skipped}))
        console.print(f"not in the model: {len(report.skipped):,} variables ({scopes})")
    if report.ignored:
        console.print(f"not weights: {len(report.ignored):,} (step, optimizer, unused averages)")
    console.print(f"wrote {FLAGS.output_path}")


if __name__ == "__main__":
    run(main)
