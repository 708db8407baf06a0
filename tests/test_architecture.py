"""The arrows between modules, the lazy top level, and a life without TensorFlow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nasnet_keras

ROOT = Path(nasnet_keras.__file__).parent

# What a package may import of this project, itself and `SHARED` aside.
SHARED = {"replica_seeds", "suggestions", "whole_files"}
ALLOWED = {
    "genotypes": set(),
    "layers": {"genotypes"},
    "weights": set(),
    # `weights=...` of the model functions loads files.
    "models": {"genotypes", "layers", "weights"},
    "data": set(),
    "training": {"genotypes", "layers", "models", "weights", "data"},
    "export": {"layers", "models", "weights", "data", "training"},
    "search": {"genotypes"},
    "detection": {"genotypes", "layers", "models", "weights", "data", "training"},
    "detection/data": {"data", "detection"},
}
# What single files may import beyond that.
ALLOWED_TO_FILE = {
    "search/child.py": {"models", "data", "training"},
    "search/moved_training.py": {"training"},
    "search/rerank.py": {"models", "training"},
}
MAY_NEED_TENSORFLOW = {
    "layers/batch_normalization.py",
    "layers/depthwise_convolution.py",
    "data/cifar_preprocessing.py",
    "data/decoding.py",
    "data/example_order.py",
    "data/inception.py",
    "data/pipeline.py",
    "data/prefetching.py",
    "data/stream_preprocessing.py",
    "training/objective.py",
    "training/rmsprop.py",
    "detection/data/augmentation.py",
    "detection/data/batches.py",
    "detection/detector_batches.py",
    "weights/slim_checkpoint.py",
    "weights/slim_writer.py",
    "training/strategy.py",
    "training/tensorflow_network.py",
    "training/training_data.py",
    "detection/crop_features.py",
    "detection/export_formats.py",
    "detection/export_graph.py",
    "export/saved_model.py",
    "export/classifier.py",
}


# Strategies touch no disk, device or process, and none of these modules.
NOT_FOR_STRATEGIES = {"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "threading"}
NOT_FOR_STRATEGIES |= {"multiprocessing", "concurrent", "socket", "pickle", "time", "random"}
# What trains their proposals, and keeps the books.
ENGINE = {
    *("child.py", "ending.py", "executor.py", "experiment.py", "job_process.py", "journal.py"),
    *("limits.py", "local_executor.py", "moved_training.py", "progress.py", "ranking.py"),
    "ray_executor.py",
    # What is read from the books afterwards.
    *("drawing.py", "history.py", "report.py", "report_charts.py", "rerank.py"),
    "reranked.py",
    "resume.py",
    *("run_directory.py", "search_state.py", "simulated_executor.py", "snapshot.py"),
}


def imports(path: Path) -> list[tuple[str, bool]]:
    """Returns the modules a file imports, and whether at its top."""
    tree = ast.parse(path.read_text())
    top = set(map(id, tree.body))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", id(node) in top))
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_dependencies_point_one_way(package: str) -> None:
    for path in (ROOT / package).glob("*.py"):
        for module, at_top in imports(path):
            parts = module.split(".")
            if parts[0] == "nasnet_keras" and len(parts) > 1:
                allowed = ALLOWED[package] | {package} | SHARED
                allowed |= ALLOWED_TO_FILE.get(f"{package}/{path.name}", set())
                assert parts[1] in allowed, f"{path.name} imports {module}"
            if parts[0] == "tensorflow":
                name = f"{package}/{path.name}"
                assert name in MAY_NEED_TENSORFLOW and not at_top, f"{name} imports TensorFlow"


def test_strategies_touch_nothing_outside() -> None:
    engine = {f"nasnet_keras.search.{name.removesuffix('.py')}" for name in ENGINE}
    for path in (ROOT / "search").glob("*.py"):
        for module, _ in imports(path) if path.name not in ENGINE else ():
            assert module.split(".")[0] not in NOT_FOR_STRATEGIES, f"{path.name} imports {module}"
            assert module not in engine, f"{path.name} imports {module}"


def test_spaces_and_strategies_load_without_keras() -> None:
    code = (
        "import sys; from nasnet_keras import search; "
        "space = search.get_space('nasnet'); s = search.get_strategy('evolution', space); "
        "assert len(s.ask(3)[0].architecture) == 50 and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)


def test_every_public_name_is_there() -> None:
    for name in dir(nasnet_keras):
        assert getattr(nasnet_keras, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'NASNetHuge'"):
        nasnet_keras.NASNetHuge  # noqa: B018


@pytest.mark.parametrize("first", ["keras", "nasnet_keras"])
def test_saved_networks_load_whichever_is_imported_first(first: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    model = nasnet_keras.create_model("nasnet_cifar", num_cells=3, filters=4)
    model.save(path)
    if first == "keras":
        code = f"import keras, nasnet_keras; m = keras.saving.load_model({str(path)!r})"
    else:
        code = f"import nasnet_keras; m = nasnet_keras.load_model({str(path)!r})"
    code += f"; assert m.count_params() == {model.count_params()}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)


def test_networks_need_no_tensorflow() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None; import nasnet_keras as nk; "
        "m = nk.create_model('nasnet_mobile'); assert m.count_params() == 5327773; "
        "assert 'tensorflow' not in {k for k, v in sys.modules.items() if v}"
    )
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT.parent, check=True)
