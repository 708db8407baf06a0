"""What a forge and a container engine read of the checkout, as far as it can be checked here."""

import json
import re
import shlex
from pathlib import Path

import pytest

from nasnet_keras.programs.verbs import programs

ROOT = Path(__file__).parent.parent
FORMS = sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_form_is_one_that_a_forge_shows(path):
    yaml = pytest.importorskip("yaml")
    form = yaml.safe_load(path.read_text())
    assert form["name"] and form["description"]
    parts = [part for part in form["body"] if part["type"] != "markdown"]
    assert {part["type"] for part in parts} == {"textarea"}
    assert all(part["attributes"]["label"] for part in parts)
    assert len({part["id"] for part in parts}) == len(parts)


def test_fault_is_asked_its_command_versions_and_configuration():
    yaml = pytest.importorskip("yaml")
    form = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/fault.yml").read_text())
    parts = {part["id"]: part for part in form["body"] if "id" in part}
    required = {name for name, part in parts.items() if part.get("validations", {}).get("required")}
    assert required == {"command", "output", "versions"}
    assert "nasnet-keras info" in parts["versions"]["attributes"]["description"]
    assert "config.json" in parts["config"]["attributes"]["label"]


def test_container_copies_what_is_there_and_not_ignored():
    text = (ROOT / "Dockerfile").read_text()
    copied = [
        name
        for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    assert "nasnet_keras" in copied and "constraints.txt" in copied
    assert not [name for name in copied if not (ROOT / name).exists()]
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == set(copied)


def test_commands_of_the_container_are_ours():
    text = (ROOT / "Dockerfile").read_text()
    (example,) = re.findall(r"nasnet-keras \\\n#\s+(.*)\n", text)
    assert shlex.split(example)[0] in dict(programs())
    assert json.loads(re.findall(r"ENTRYPOINT (.*)", text)[0]) == ["nasnet-keras"]


def test_development_container_makes_the_environment_of_the_makefile():
    text = (ROOT / ".devcontainer/devcontainer.json").read_text()
    config = json.loads(re.sub(r"^//.*$", "", text, flags=re.MULTILINE))
    target = config["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
