"""Published archives: downloaded once, whole or not at all, unpacked with care, converted once."""

import io
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import nasnet_keras as nk
from nasnet_keras.programs.signals import Terminated, signals_raised
from nasnet_keras.weights import catalogue, load_pretrained
from nasnet_keras.weights.catalogue import SLIM, PublishedWeights
from nasnet_keras.weights.slim_names import network_variables, slim_name
from tests.golden_network import golden_value
from tests.weights.checkpoints import write_archive
from tests.weights.file_server import FileServer, serve

pytest.importorskip("tensorflow")
pytest.importorskip("h5py")
pytestmark = pytest.mark.tensorflow
ROOT = Path(__file__).resolve().parents[2]
AVERAGE = "/ExponentialMovingAverage"


def build(classes: int = 1001, auxiliary_head: bool = False) -> keras.Model:
    config = nk.NetworkConfig(nk.get_genotype("nasnet_a"), num_cells=3, filters=4, stem_filters=6)
    return nk.build_network(config, classes, (32, 32, 3), auxiliary_head=auxiliary_head)


def held(model: keras.Model) -> dict[str, np.ndarray]:
    variables = network_variables(model).items()
    return {slim_name(path): keras.ops.convert_to_numpy(v) for path, v in variables}


def same(model: keras.Model, expected: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(value, expected[name]) for name, value in held(model).items())


@pytest.fixture(scope="module")
def small() -> keras.Model:
    return build()


@pytest.fixture(scope="module")
def values() -> dict[str, np.ndarray]:
    """The moving averages, which are what counts."""
    names = held(build(auxiliary_head=True))
    return {name: golden_value(name, value.shape) for name, value in names.items()}


@pytest.fixture(scope="module")
def archive(values: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As slim's: raw weights, averages but for the moving statistics, and a step."""
    arrays: dict[str, Any] = {"global_step": np.int64(5)}
    for name, value in values.items():
        if name.rpartition("/")[2].startswith("moving_"):
            arrays[name] = value
        else:
            arrays |= {name: value + 1, f"{name}{AVERAGE}": value}
    return write_archive(tmp_path_factory.mktemp("archive") / "small.tar.gz", arrays)


@pytest.fixture
def server(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    with serve(archive.read_bytes()) as state:
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        publish(state.url, monkeypatch)
        yield state


def publish(url: str, monkeypatch: pytest.MonkeyPatch, md5: str | None = None) -> None:
    entry = PublishedWeights("small", SLIM, url, "small.tar.gz", 1001, "", "", "", md5=md5)
    monkeypatch.setattr(catalogue, "PUBLISHED", (entry,))


def cached(tmp_path: Path) -> list[str]:
    folder = tmp_path / "models"
    return sorted(os.listdir(folder)) if folder.exists() else []


WHOLE = ["small.tar.gz", "small.tar.gz.sha256", "small.weights.h5"]


def test_an_archive_is_downloaded_and_converted_once(
    server: FileServer, small: keras.Model, values: dict[str, np.ndarray], tmp_path: Path
) -> None:
    report = load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values) and report.source.endswith("small.weights.h5")
    assert cached(tmp_path) == WHOLE and server.starts == [0]
    # From here on neither network nor archive is needed.
    (tmp_path / "models" / "small.tar.gz").unlink()
    with_auxiliary = build(auxiliary_head=True)
    load_pretrained(with_auxiliary, "small", "imagenet_slim")
    assert same(with_auxiliary, values) and server.starts == [0]
    without_background = build(1000)
    load_pretrained(without_background, "small", "imagenet_slim")
    head = {n: v[..., 1:] for n, v in values.items() if n.startswith("final_layer/")}
    assert same(without_background, values | head)
    # What was converted is also read by its path.
    load_pretrained(without_background, "other", tmp_path / "models" / "small.weights.h5")
    assert same(without_background, values | head)


@pytest.mark.parametrize("tenth", range(10))
def test_a_broken_download_goes_on_where_it_broke_off(
    tenth: int, server: FileServer, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    size = len(server.content)
    server.breaks_after = cut = size * tenth // 10 + tenth
    before = held(small)
    with pytest.raises(ConnectionError) as error:
        load_pretrained(small, "small", "imagenet_slim")
    message = str(error.value)
    assert f"broke off after {cut:,} of {size:,} bytes" in message and "\n" not in message
    assert f"put {server.url} at {tmp_path / 'models' / 'small.tar.gz'}" in message
    assert same(small, before) and not {*WHOLE} & {*cached(tmp_path)}
    server.breaks_after = None
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values)
    assert cached(tmp_path) == WHOLE and server.starts == [0, cut]


@pytest.mark.parametrize("tag", [None, '"2"'])
def test_another_file_on_the_server_starts_anew(
    tag: str | None, server: FileServer, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    whole, server.content = server.content, bytes(len(server.content))
    if tag is None:
        server.tag = None
    server.breaks_after = 1000
    with pytest.raises(ConnectionError):
        load_pretrained(small, "small", "imagenet_slim")
    server.content, server.tag, server.breaks_after = whole, tag, None
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values) and server.starts == [0, 0]
    assert cached(tmp_path) == WHOLE


def test_a_wrong_digest_leaves_nothing(
    server: FileServer, small: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = held(small)
    publish(server.url, monkeypatch, md5="0" * 32)
    with pytest.raises(ValueError, match="its md5 is .* instead of 0000"):
        load_pretrained(small, "small", "imagenet_slim")
    assert same(small, before) and cached(tmp_path) == []


def test_another_file_than_the_first_download_is_refused(
    server: FileServer, small: keras.Model, tmp_path: Path
) -> None:
    load_pretrained(small, "small", "imagenet_slim")
    for name in ("small.tar.gz", "small.weights.h5"):
        (tmp_path / "models" / name).unlink()
    server.content += b"\0"
    with pytest.raises(ValueError, match="its sha256 is .* from its first download"):
        load_pretrained(small, "small", "imagenet_slim")
    assert cached(tmp_path) == ["small.tar.gz.sha256"]


def test_a_damaged_archive_does_not_stay_in_the_cache(
    server: FileServer, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    whole, server.content = server.content, server.content[:-2000]
    with pytest.raises(ValueError, match=r"small\.tar\.gz is not a complete archive"):
        load_pretrained(small, "small", "imagenet_slim")
    assert cached(tmp_path) == []
    server.content = whole
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values)


def test_without_network_the_error_says_which_file_to_put_where(
    archive: Path, small: keras.Model, values: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    with serve(b"") as state:
        url = state.url
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    publish(url, monkeypatch)
    with pytest.raises(ConnectionError) as error:
        load_pretrained(small, "small", "imagenet_slim")
    place = tmp_path / "models" / "small.tar.gz"
    assert f"put {url} at {place}" in str(error.value) and "\n" not in str(error.value)
    assert cached(tmp_path) == []
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(archive.read_bytes())
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values)


def test_two_processes_do_one_download(server: FileServer, tmp_path: Path) -> None:
    code = (
        "import sys; from nasnet_keras.weights.catalogue import PublishedWeights\n"
        "from nasnet_keras.weights.published_files import published_file\n"
        "entry = 's', 'imagenet_slim', sys.argv[1], 'small.tar.gz', 1, '', '', ''\n"
        "print(published_file(PublishedWeights(*entry)))"
    )
    command = [sys.executable, "-c", code, server.url]
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    server.waits = True
    first = subprocess.Popen(command, cwd=ROOT, **pipes)
    server.asked.wait(60)
    second = subprocess.Popen(command, cwd=ROOT, **pipes)
    # It says for whom it waits before it waits; then the first one's download goes on. TensorFlow
    # may have said something before.
    line = next(line for line in second.stderr if line.startswith("waiting"))
    assert re.match(rf"waiting for process {first.pid} \(.*\) on .*, which is writing small", line)
    server.goes_on.set()
    paths = {process.communicate()[0].strip() for process in (first, second)}
    assert paths == {str(tmp_path / "models" / "small.weights.h5")}
    assert server.starts == [0] and cached(tmp_path) == WHOLE


def test_a_conversion_that_is_killed_is_done_again(
    server: FileServer, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    # All of it is written, and has not got its name.
    code = (
        "import os, signal, sys; from nasnet_keras.weights.catalogue import PublishedWeights\n"
        "from nasnet_keras.weights.published_files import published_file\n"
        "replace = os.replace\n"
        "def kill(source, target):\n"
        "    if str(target).endswith('.weights.h5'): os.kill(os.getpid(), signal.SIGKILL)\n"
        "    replace(source, target)\n"
        "os.replace = kill\n"
        "entry = 's', 'imagenet_slim', sys.argv[1], 'small.tar.gz', 1, '', '', ''\n"
        "published_file(PublishedWeights(*entry))"
    )
    command = [sys.executable, "-c", code, server.url]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == -signal.SIGKILL
    left = cached(tmp_path)
    assert ".small.weights.partial.h5" in left and "small.weights.h5" not in left
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values) and cached(tmp_path) == WHOLE and server.starts == [0]


def test_a_conversion_that_is_terminated_leaves_nothing_behind(
    server: FileServer, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    before, replace = held(small), os.replace

    def terminate(source: Any, target: Any) -> None:
        if os.fspath(target).endswith(".weights.h5"):
            os.kill(os.getpid(), signal.SIGTERM)
        replace(source, target)

    with pytest.MonkeyPatch.context() as patch, signals_raised():
        patch.setattr(os, "replace", terminate)
        with pytest.raises(Terminated):
            load_pretrained(small, "small", "imagenet_slim")
    assert same(small, before) and cached(tmp_path) == WHOLE[:2]
    load_pretrained(small, "small", "imagenet_slim")
    assert same(small, values) and cached(tmp_path) == WHOLE


@pytest.mark.parametrize("kind", ["archive", "directory", "prefix"])
def test_a_file_of_the_users_own_is_taken_by_path(
    kind: str, archive: Path, small: keras.Model, values: Any, tmp_path: Path
) -> None:
    path = archive
    if kind != "archive":
        with tarfile.open(archive) as tar:
            tar.extractall(tmp_path, filter="data")
        path = tmp_path if kind == "directory" else tmp_path / "model.ckpt"
    load_pretrained(small, "small", path)
    assert same(small, values)


@pytest.mark.parametrize("tenth", range(10))
def test_a_truncated_archive_is_one_line_and_changes_nothing(
    tenth: int, archive: Path, small: keras.Model, tmp_path: Path
) -> None:
    content = archive.read_bytes()
    path = tmp_path / "small.tar.gz"
    # The last cut leaves out nothing but the checksum.
    path.write_bytes(content[: -4 if tenth == 9 else len(content) * tenth // 9])
    before = held(small)
    with pytest.raises(ValueError, match=r"small\.tar\.gz") as error:
        load_pretrained(small, "small", path)
    assert "\n" not in str(error.value) and same(small, before)
    assert os.listdir(tmp_path) == ["small.tar.gz"]


def hostile(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 3) -> Any:
    member = tarfile.TarInfo(name)
    member.type, member.linkname, member.size = kind, link, size if kind == tarfile.REGTYPE else 0
    return member


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (hostile("../outside"), "'../outside' would lie outside"),
        (hostile("a/../../outside"), "would lie outside"),
        (hostile("/tmp/outside"), "would lie outside"),
        (hostile("model.ckpt.meta", tarfile.SYMTYPE, "/etc/passwd"), "is a link"),
        (hostile("model.ckpt.meta", tarfile.LNKTYPE, "model.ckpt.index"), "is a link"),
        (hostile("pipe", tarfile.FIFOTYPE), "is no plain file"),
        (hostile("device", tarfile.CHRTYPE), "is no plain file"),
        (hostile("zeros", size=1 << 40), "unpacks to more than"),
    ],
)
@pytest.mark.parametrize("by_name", [False, True])
def test_hostile_members_are_refused(
    by_name: bool, member: Any, message: str, server: FileServer, small: Any, tmp_path: Path
) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        with tarfile.open(fileobj=io.BytesIO(server.content)) as source:
            for each in source:
                tar.addfile(each, source.extractfile(each))
        # A size of its own is what a header says, whatever follows it.
        tar.fileobj.write(member.tobuf())  # type: ignore[union-attr]
    path = tmp_path / "hostile.tar.gz"
    path.write_bytes(content.getvalue())
    server.content = content.getvalue()
    before = held(small)
    with pytest.raises(ValueError, match=message) as error:
        load_pretrained(small, "small", "imagenet_slim" if by_name else path)
    assert "\n" not in str(error.value) and same(small, before)
    assert cached(tmp_path) == [] and {*os.listdir(tmp_path)} <= {"hostile.tar.gz", "models"}
    assert not (tmp_path.parent / "outside").exists()


def test_an_archive_of_something_else_is_named(small: keras.Model, tmp_path: Path) -> None:
    path = tmp_path / "code.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(hostile("setup.py"), io.BytesIO(b"abc"))
    with pytest.raises(ValueError, match="holds neither a checkpoint nor a frozen_inference"):
        load_pretrained(small, "small", path)


def test_the_catalogue_lists_what_a_network_has() -> None:
    names = [(each.name, each.classes) for each in nk.list_weights("nasnet_large")]
    assert names == [("imagenet", 1000)] * 2 + [("imagenet_slim", 1001), ("timm", 1000)]
    assert [each.classes for each in nk.list_weights("pnasnet_mobile")] == [1000, 1001]
    archives = {each.model: each.file for each in nk.list_weights("*_1200*")}
    assert archives == {
        "nasnet_large_1200": "faster_rcnn_nas_coco_2018_01_28.tar.gz",
        "nasnet_large_1200_lowproposals": "faster_rcnn_nas_lowproposals_coco_2018_01_28.tar.gz",
    }
    with pytest.raises(ValueError, match="did you mean 'nasnet_large'"):
        nk.list_weights("nasnet_larg")
