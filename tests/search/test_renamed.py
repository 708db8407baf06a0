"""A script from before a class was renamed."""

import subprocess
import sys
from pathlib import Path

import nasnet_keras

SCRIPT = """
import nasnet_keras
from nasnet_keras.search import ConvolutionLayer, LayerwiseNetwork, get_space

space = get_space("layerwise", num_layers=2)
network = space.decode([0] * len(space.decisions))
assert isinstance(network, LayerwiseNetwork)
assert isinstance(network.layers[1], ConvolutionLayer)
print(network.layers[1].filters, LayerwiseNetwork is nasnet_keras.LayerwiseGenotype)
"""


def test_script_with_the_old_names_runs_with_a_warning_for_each(tmp_path):
    script = tmp_path / "old.py"
    script.write_text(SCRIPT)
    root = str(Path(nasnet_keras.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": root, "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["24", "True"]
    warned = [line for line in done.stderr.splitlines() if "DeprecationWarning" in line]
    assert len(warned) == 2 and all(line.startswith(f"{script}:3:") for line in warned)
    assert "nasnet_keras.search.LayerwiseNetwork is nasnet_keras.LayerwiseGenotype now" in warned[1]
