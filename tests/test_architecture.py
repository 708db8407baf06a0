"""The arrows between modules, the lazy top level, and a life without TensorFlow."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import nasnet_keras

ROOT = Path(nasnet_keras.__file__).parent

# What every folder may import: what stands beside or below them all.
SHARED = ("files", "text", "settings", "replica_seeds", "out_of_memory", "ray_cluster")
# What the files of a folder may import besides those of their own; a name stands for all below it.
# The folders stand in the order of the arrows: each imports only what stands above it.
ALLOWED = {
    "text": (),
    "files": (),
    "genotypes": (),
    "layers": ("genotypes",),
    "layers/backends": (),
    "layers/layerwise": ("layers",),
    "weights": ("layers",),
    "hub": ("weights",),
    # `weights=...` of the model functions loads files.
    "models": ("genotypes", "layers", "weights"),
    "visualization": ("genotypes",),
    "data": (),
    "data/sources": ("data",),
    "data/check": ("data",),
    "data/streams": ("data",),
    "training": ("layers", "models", "weights", "hub", "data", "training"),
    "training/callbacks": ("layers", "training", "weights"),
    "training/optimizers": ("layers",),
    "training/step": ("layers",),
    "training/backup_workers": ("training",),
    "classification": ("genotypes", "layers", "models", "weights", "data", "training"),
    "detection": ("detection",),
    "detection/modeling": ("genotypes", "layers", "models", "training/step"),
    "detection/data": ("data", "detection/modeling"),
    "detection/configuration": ("genotypes", "models", "detection/modeling", "detection/data"),
    "detection/weights": ("layers", "weights", "detection/modeling", "detection/configuration"),
    "detection/evaluation": ("detection/modeling", "detection/data", "detection/configuration"),
    "detection/visualization": (
        *("data", "detection/modeling", "detection/data", "detection/configuration"),
        "detection/evaluation",
    ),
    "detection/inference": (
        *("layers", "weights", "data", "training", "detection/modeling", "detection/data"),
        *("detection/configuration", "detection/weights", "detection/evaluation"),
        "detection/visualization",
    ),
    "detection/training": (
        *("layers", "models", "weights", "data", "training", "detection/modeling"),
        *("detection/data", "detection/configuration", "detection/weights"),
        *("detection/evaluation", "detection/visualization", "detection/inference"),
    ),
    "export/graph": (),
    "export/graph/passes": ("export/graph",),
    "export/graph/lowering": ("layers", "data", "detection/modeling", "export/graph"),
    "export/quantization": ("data", "classification", "export/graph"),
    "export/detector": ("layers", "models", "training", "data", "detection", "export"),
    "export": ("layers", "models", "weights", "data", "training", "classification", "detection"),
    "publishing": ("models", "weights", "hub", "training", "classification", "detection"),
    "search": ("genotypes", "search/spaces", "search/strategies"),
    "search/spaces": ("genotypes",),
    "search/strategies": ("genotypes", "search/spaces"),
    "search/executors": (),
    "search/engine": ("search/spaces", "search/strategies", "search/executors"),
    "search/report": (
        *("genotypes", "visualization"),
        *("search/spaces", "search/strategies", "search/executors", "search/engine"),
    ),
    "search/children": (
        *("genotypes", "layers", "models", "weights", "data", "training", "classification"),
        *("search/spaces", "search/strategies", "search/executors", "search/engine"),
        *("search/report", "export"),
    ),
    "serving": (*("models", "data", "classification", "detection/inference", "export"),),
    "demo": ("weights", "data", "detection/visualization", "detection/inference", "serving"),
    "programs": (),
    "programs/search": (),
    "programs/detect": (),
}
# Where TensorFlow may be imported, within functions only.
MAY_NEED_TENSORFLOW = {
    # Its fused kernels, on its own backend.
    *("layers", "layers/backends"),
    # Its checkpoints.
    "weights",
    # tf.data, and the reading and preprocessing that runs in it.
    *("data", "data/sources", "data/streams", "detection/data"),
    # Its optimizer's arithmetic, tf.distribute.
    *("training", "training/optimizers", "training/step", "classification"),
    "training/backup_workers",
    "detection/modeling",
    # SavedModels, LiteRT.
    *("export", "export/graph", "export/quantization", "export/detector"),
}
# Spaces and strategies touch no disk, device or process, and none of these modules.
NOT_FOR_STRATEGIES = {"os", "io", "pathlib", "shutil", "tempfile", "subprocess", "threading"}
NOT_FOR_STRATEGIES |= {"multiprocessing", "concurrent", "socket", "pickle", "time", "random"}


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


def files(folder: str) -> list[tuple[str, Path]]:
    return [(f"{folder}/{path.name}", path) for path in sorted((ROOT / folder).glob("*.py"))]


def folder_of(module: str) -> str:
    """Returns the folder, or the file at the top, that a module of this project is in."""
    parts = module.split(".")[1:]
    while parts and not (ROOT / "/".join(parts)).is_dir():
        if len(parts) == 1:
            return parts[0]
        parts.pop()
    return "/".join(parts)


def test_every_folder_has_its_arrows() -> None:
    found = {str(path.parent.relative_to(ROOT)) for path in ROOT.rglob("*.py")}
    assert found - {"."} == set(ALLOWED)


@pytest.mark.parametrize("folder", ALLOWED)
def test_dependencies_point_one_way(folder: str) -> None:
    for name, path in files(folder):
        for module, at_top in imports(path):
            if module.startswith("nasnet_keras."):
                target = folder_of(module)
                allowed = (*ALLOWED[folder], *SHARED, folder)
                below = any(target == each or target.startswith(f"{each}/") for each in allowed)
                assert below or folder.startswith("programs"), f"{name} imports {module}"
            if module.split(".")[0] == "tensorflow":
                assert folder in MAY_NEED_TENSORFLOW and not at_top, f"{name} imports TensorFlow"


def test_programs_alone_parse_flags() -> None:
    for path in ROOT.rglob("*.py"):
        if "programs" not in path.parts:
            text = path.read_text()
            assert "argparse" not in text and "import flags" not in text, path


def test_only_folders_below_are_allowed() -> None:
    order = list(ALLOWED)
    for folder, allowed in ALLOWED.items():
        for each in allowed:
            parent = folder.startswith(f"{each}/") or each.startswith(f"{folder}/")
            assert parent or each == folder or order.index(each) < order.index(folder), folder


@pytest.mark.parametrize("folder", ["search/spaces", "search/strategies"])
def test_spaces_and_strategies_touch_nothing_outside(folder: str) -> None:
    for name, path in files(folder):
        for module, _ in imports(path):
            assert module.split(".")[0] not in NOT_FOR_STRATEGIES, f"{name} imports {module}"


def test_a_folder_has_few_files_and_a_file_few_lines() -> None:
    for folder in ALLOWED:
        modules = [path for name, path in files(folder) if not name.endswith("__init__.py")]
        assert len(modules) <= 20, folder
        for path in modules:
            assert len(path.read_text().splitlines()) <= 400, path


def test_class_variables_name_their_type() -> None:
    # Python 3.10 refuses a bare `ClassVar` where annotations are evaluated, as `Settings` does.
    bare = [
        f"{path}:{node.lineno}"
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "ClassVar"
    ]
    assert not bare


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


def test_everything_but_programs_is_imported_without_what_windows_lacks() -> None:
    # Servers' own libraries are not installed here.
    code = """
import importlib, pkgutil, sys
sys.modules["fcntl"] = sys.modules["resource"] = None
import nasnet_keras
for module in pkgutil.walk_packages(nasnet_keras.__path__, "nasnet_keras."):
    name = module.name
    servers = name.endswith(("kserve_model", "mlserver_runtime"))
    if not servers and "programs" not in name and "__main__" not in name:
        importlib.import_module(name)
print(nasnet_keras.create_model("nasnet_cifar", num_cells=2, filters=4).count_params())
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, check=True)


def test_networks_need_no_tensorflow() -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = None; import nasnet_keras as nk; "
        "m = nk.create_model('nasnet_mobile'); assert m.count_params() == 5327773; "
        "assert 'tensorflow' not in {k for k, v in sys.modules.items() if v}"
    )
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT.parent, check=True)
