"""Searches for the cells of a network; the same command continues a search that was cut off.

  python search_architecture.py run --strategy=ppo --dataset_name=digits --budget=40 \
      --run_dir=runs/search --workers=2
  python search_architecture.py status --run_dir=runs/search
  python search_architecture.py top --run_dir=runs/search
  python search_architecture.py rerank --run_dir=runs/search --count=5 --workers=2
  python search_architecture.py report --run_dir=runs/search --output=report.html
  python search_architecture.py draw --run_dir=runs/search --output=best.svg
  python search_architecture.py export --run_dir=runs/search --output=best.json

A flag left out keeps the paper's value, or the dataset's.
"""

import contextlib
import dataclasses
import functools
import json
import os
import signal
import sys
import typing
from collections.abc import Callable

from absl import flags

from nasnet_keras.directory_lock import is_locked
from nasnet_keras.programs.command_line import import_keras_quietly, run
from nasnet_keras.suggestions import unknown_name
from nasnet_keras.whole_files import check_can_write

_RUN_DIR = flags.DEFINE_string("run_dir", None, "Directory of the search.")

# ---- run
_STRATEGY = flags.DEFINE_string(
    "strategy", None, "ppo, reinforce, random, evolution or progressive."
)
_STRATEGY_OPTION = flags.DEFINE_multi_string(
    "strategy_option", [], "NAME=VALUE, a setting of the strategy, e.g. batch_size=10; repeatable."
)
_SPACE = flags.DEFINE_string(
    "space", None, "nasnet or pnas. Default: pnas for progressive, else nasnet."
)
_SPACE_OPTION = flags.DEFINE_multi_string(
    "space_option", [], "NAME=VALUE, a setting of the space, e.g. num_blocks=3; repeatable."
)
_SEED = flags.DEFINE_integer("seed", 0, "Seed of the strategy and of the children.")
_BUDGET = flags.DEFINE_integer(
    "budget", None, "Children to train, all calls together. Default: until the strategy is done."
)
_MAX_PARAMETERS = flags.DEFINE_integer("max_parameters", None, "Most parameters of a child.")
_MAX_MULTIPLY_ADDS = flags.DEFINE_integer(
    "max_multiply_adds", None, "Most multiply-adds of a child for one image."
)
_MAX_LATENCY_MS = flags.DEFINE_float(
    "max_latency_ms", None, "Longest prediction of one image, in milliseconds."
)

# ---- The children.
_DATASET_NAME = flags.DEFINE_string("dataset_name", "cifar10", "Dataset the children train on.")
_DATASET_DIR = flags.DEFINE_string("dataset_dir", None, "Directory of the datasets.")
_EPOCHS = flags.DEFINE_integer("epochs", None, "Passes of a child over its images.")
_NUM_CELLS = flags.DEFINE_integer("num_cells", None, "Normal cells of a child, all stages.")
_FILTERS = flags.DEFINE_integer("filters", None, "Filters of a child's first cells.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", None, "Images of a child's training step.")
_LEARNING_RATE = flags.DEFINE_float("learning_rate", None, "A child's first learning rate.")
_TRAIN_IMAGE_SIZE = flags.DEFINE_integer("train_image_size", None, "Side of a child's images.")
_LATENCY_RUNS = flags.DEFINE_integer(
    "latency_runs", 5, "Predictions whose median is a child's latency; 0: it is not measured."
)

# ---- Where they run.
_EXECUTOR = flags.DEFINE_string("executor", "local", "local or ray.")
_WORKERS = flags.DEFINE_integer("workers", 1, "Children at once.")
_TIME_LIMIT = flags.DEFINE_float("time_limit", None, "Longest time of a child, in seconds.")
_MEMORY_LIMIT = flags.DEFINE_float("memory_limit", None, "Most memory of a child, in MiB.")
_GPUS = flags.DEFINE_list(
    "gpus", [], "local: accelerators to share out, e.g. 0,1. Default: each child sees all."
)
_RAY_ADDRESS = flags.DEFINE_string(
    "ray_address", None, "ray: a cluster, e.g. auto or ray://head:10001. Default: this machine."
)
_CPUS_PER_CHILD = flags.DEFINE_float("cpus_per_child", 1.0, "ray: cores of a child.")
_GPUS_PER_CHILD = flags.DEFINE_float(
    "gpus_per_child", 0.0, "ray: accelerators of a child, or a part of one, e.g. 0.25."
)

# ---- What came of it.
_COUNT = flags.DEFINE_integer("count", 10, "top, rerank, report: how many of the best children.")
_RECIPE = flags.DEFINE_string(
    "recipe", None, "rerank: how they are trained. Default: digits for that dataset, else "
    "nasnet_cifar."
)  # fmt: skip
_CHILD = flags.DEFINE_integer(
    "child", None, "draw, export: number of a child. Default: the one of the highest accuracy."
)
_GENOTYPE = flags.DEFINE_string(
    "genotype", None, "draw: a genotype's JSON file or a published name, instead of a child."
)
_OUTPUT = flags.DEFINE_string(
    "output", None, "draw: .svg or .png file; export: .json file; report: .html file."
)

_CHILD_FLAGS = (
    _EPOCHS, _NUM_CELLS, _FILTERS, _BATCH_SIZE, _LEARNING_RATE, _TRAIN_IMAGE_SIZE
)  # fmt: skip
_ONLY_LOCAL = (_GPUS,)
_ONLY_RAY = (_RAY_ADDRESS, _CPUS_PER_CHILD, _GPUS_PER_CHILD)
_EXECUTOR_FLAGS = (_EXECUTOR, _WORKERS, _TIME_LIMIT, _MEMORY_LIMIT, *_ONLY_LOCAL, *_ONLY_RAY)
_RUN_FLAGS = (
    _RUN_DIR, _STRATEGY, _STRATEGY_OPTION, _SPACE, _SPACE_OPTION, _SEED, _BUDGET, _MAX_PARAMETERS,
    _MAX_MULTIPLY_ADDS, _MAX_LATENCY_MS,
    _DATASET_NAME, _DATASET_DIR, *_CHILD_FLAGS, _LATENCY_RUNS, *_EXECUTOR_FLAGS,
)  # fmt: skip
_RERANK_FLAGS = (
    _RUN_DIR, _COUNT, _RECIPE, _DATASET_DIR, *_CHILD_FLAGS, _LATENCY_RUNS, *_EXECUTOR_FLAGS
)  # fmt: skip


def run_search() -> int:
    from nasnet_keras.search import get_space, get_strategy
    from nasnet_keras.search.engine.limits import Limits

    if not _STRATEGY.value:
        raise ValueError("--strategy is missing: e.g. --strategy=ppo")
    space_name = _SPACE.value or ("pnas" if _STRATEGY.value == "progressive" else "nasnet")
    space = get_space(space_name, **_options(_SPACE_OPTION))
    limits = Limits(_MAX_PARAMETERS.value, _MAX_MULTIPLY_ADDS.value, _MAX_LATENCY_MS.value)
    directory = _run_directory()

    import_keras_quietly()
    from rich.console import Console

    from nasnet_keras.search.children.child import ClassifierChild
    from nasnet_keras.search.engine.experiment import Experiment, SearchFailed
    from nasnet_keras.search.engine.progress import SearchProgress

    overrides = {flag.name: flag.value for flag in _CHILD_FLAGS if flag.value is not None}
    child = ClassifierChild(
        _DATASET_NAME.value, _DATASET_DIR.value, overrides, _LATENCY_RUNS.value, limits
    )
    child.check(space)
    console = Console()
    say = functools.partial(console.print, highlight=False, soft_wrap=True)
    experiment = Experiment(
        directory,
        get_strategy(_STRATEGY.value, space, _SEED.value, **_options(_STRATEGY_OPTION)),
        child.config(),
        limits,
        child.costs,
        say,
    )
    # A scheduler that takes the machine away says so by this signal.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with SearchProgress(console) as progress:
            experiment.run(_executor(child, say), _BUDGET.value, progress)
    except SearchFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say_saved(directory)
        raise
    return 0


def show_status() -> int:
    from nasnet_keras.search.engine.progress import describe
    from nasnet_keras.search.report import tables
    from nasnet_keras.search.report.history import read_history

    directory = _run_directory()
    history = read_history(directory)
    print(f"{tables.title(history.config)}: {describe(history.state)}")
    for name, value in tables.counts(history).rows:
        print(f"{name}: {value}")
    if history.state.running and not is_locked(directory.path):
        print("no process is running it; the command that began it goes on")
    if history.state.last_error:
        print(f"last error: {history.state.last_error}")
    return 0


def show_top() -> int:
    from nasnet_keras.search.report.history import read_history
    from nasnet_keras.search.report.tables import ranking

    history = read_history(_run_directory())
    _print_table(ranking(history.best(_COUNT.value)))
    print(f"genotypes: {history.path}/children/CHILD/genotype.json")
    return 0


def _print_table(table: typing.Any) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(*table.headings)
    for column in shown.columns:
        column.justify = "right"
    for row in table.rows:
        shown.add_row(*row)
    Console().print(shown)


def rerank_children() -> int:
    from nasnet_keras.search.report.history import read_history, rerank_directory

    directory = _run_directory()
    history = read_history(directory)
    dataset = history.config["child"].get("dataset_name")
    if not isinstance(dataset, str):
        raise ValueError(f"{directory.path}: its configuration names no dataset of the children")
    import_keras_quietly()
    from rich.console import Console

    from nasnet_keras.search.children.rerank import RerankChild, rerank
    from nasnet_keras.search.engine.experiment import SearchFailed
    from nasnet_keras.search.engine.progress import SearchProgress
    from nasnet_keras.search.report.tables import reranking

    overrides = {flag.name: flag.value for flag in _CHILD_FLAGS if flag.value is not None}
    recipe = _RECIPE.value or ("digits" if dataset == "digits" else "nasnet_cifar")
    child = RerankChild(
        dataset, _DATASET_DIR.value, overrides, _LATENCY_RUNS.value, recipe_name=recipe
    )
    child.check(history.space)
    console = Console()
    say = functools.partial(console.print, highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with SearchProgress(console) as progress:
            children = rerank(
                directory,
                _COUNT.value,
                child,
                _executor(child, say),
                say,
                progress,
            )
    except SearchFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        _say_saved(rerank_directory(directory))
        raise
    _print_table(reranking(children, f"recipe {recipe}"))
    return 0


def draw() -> int:
    from nasnet_keras.genotypes import get_genotype
    from nasnet_keras.visualization import draw_genotype

    if _GENOTYPE.value:
        for flag in (_RUN_DIR, _CHILD):
            if flag.present:
                raise ValueError(f"--genotype and --{flag.name} name two cells: give one of them")
        genotype = get_genotype(_GENOTYPE.value)
    else:
        genotype = _found_genotype()
    draw_genotype(genotype, _output(".svg or .png"))
    print(f"drew {genotype.name} to {_OUTPUT.value}")
    return 0


def export() -> int:
    # What trains it tells a file from a published name by the suffix.
    path = _output_file(".json")
    genotype = _found_genotype()
    check_can_write(path)
    genotype.save(path)
    print(f"wrote {genotype.name} to {path}")
    return 0


def report() -> int:
    from nasnet_keras.search.report.report import write_report

    path = _output_file(".html")
    write_report(_run_directory(), path, _COUNT.value)
    print(f"wrote {path}")
    return 0


def _found_genotype() -> typing.Any:
    from nasnet_keras.search.report.history import read_history

    history = read_history(_run_directory())
    child = history.best(1)[0].number if _CHILD.value is None else _CHILD.value
    genotype = history.genotype(child)
    print(f"child {child}")
    return genotype


def _output(kind: str) -> str:
    if not _OUTPUT.value:
        raise ValueError(f"--output is missing: name the {kind} file to write")
    return _OUTPUT.value


def _output_file(suffix: str) -> str:
    path = _output(suffix)
    if not path.endswith(suffix):
        raise ValueError(f"--output is a {suffix} file, got {path!r}")
    return path


class _Command(typing.NamedTuple):
    function: Callable[[], int]
    flags: tuple[flags.FlagHolder, ...]


_COMMANDS = {
    "run": _Command(run_search, _RUN_FLAGS),
    "status": _Command(show_status, (_RUN_DIR,)),
    "top": _Command(show_top, (_RUN_DIR, _COUNT)),
    "rerank": _Command(rerank_children, _RERANK_FLAGS),
    "draw": _Command(draw, (_RUN_DIR, _CHILD, _GENOTYPE, _OUTPUT)),
    "export": _Command(export, (_RUN_DIR, _CHILD, _OUTPUT)),
    "report": _Command(report, (_RUN_DIR, _COUNT, _OUTPUT)),
}


def _run_directory() -> typing.Any:
    from nasnet_keras.search.engine.run_directory import RunDirectory

    if not _RUN_DIR.value:
        raise ValueError("--run_dir is missing: name the directory of the search")
    return RunDirectory(_RUN_DIR.value)


def _say_saved(directory: typing.Any) -> None:
    if directory.journal.exists():
        print(f"saved {directory.path}; the same command goes on", file=sys.stderr)


def _executor(child: typing.Any, say: Callable[[str], None]) -> typing.Any:
    from nasnet_keras.search.children.child import PRELOAD
    from nasnet_keras.search.executors.job_process import JobLimits
    from nasnet_keras.search.executors.local_executor import LocalExecutor
    from nasnet_keras.search.executors.ray_executor import RayExecutor

    if child.dataset_dir is not None:
        # A worker's working directory need not be this one.
        child = dataclasses.replace(child, dataset_dir=os.path.abspath(child.dataset_dir))
    limits = JobLimits(_TIME_LIMIT.value, _MEMORY_LIMIT.value)
    if _EXECUTOR.value == "local":
        return LocalExecutor(child, _WORKERS.value, limits, PRELOAD, _GPUS.value)
    return RayExecutor(
        child,
        _WORKERS.value,
        limits,
        _RAY_ADDRESS.value,
        _CPUS_PER_CHILD.value,
        _GPUS_PER_CHILD.value,
        say,
    )


def _options(flag: flags.FlagHolder) -> dict[str, typing.Any]:
    """Returns the values of a flag that is repeated as NAME=VALUE."""
    options = {}
    for text in flag.value:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--{flag.name} is NAME=VALUE, got {text!r}")
        options[name] = value
        # What is no number, list or boolean is a name.
        with contextlib.suppress(json.JSONDecodeError):
            options[name] = json.loads(value)
    return options


def _check_flags(name: str) -> None:
    """Refuses flags that the command would ignore."""
    read = {flag.name for flag in _COMMANDS[name].flags}
    trains = _EXECUTOR.name in read
    if trains:
        if _EXECUTOR.value not in ("local", "ray"):
            raise ValueError(unknown_name("executor", _EXECUTOR.value, ("local", "ray")))
        ignored = _ONLY_RAY if _EXECUTOR.value == "local" else _ONLY_LOCAL
        read -= {flag.name for flag in ignored}
    for flag in flags.FLAGS.get_key_flags_for_module(sys.argv[0]):
        if flag.present and flag.name not in read:
            where = f"{name} --executor={_EXECUTOR.value}" if trains else name
            raise ValueError(f"--{flag.name} means nothing to '{where}'")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        raise ValueError(
            f"name one command, {', '.join(_COMMANDS)}; got {' '.join(arguments) or 'none'}"
        )
    if arguments[0] not in _COMMANDS:
        raise ValueError(unknown_name("command", arguments[0], _COMMANDS))
    _check_flags(arguments[0])
    return _COMMANDS[arguments[0]].function()


if __name__ == "__main__":
    run(main, "COMMAND")
