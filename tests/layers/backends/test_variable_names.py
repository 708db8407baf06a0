"""TensorFlow's own names of variables are short; Keras's, and those of an export, are distinct."""

import keras
import pytest

import nasnet_keras as nk

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="is TensorFlow's")


def test_names_repeat_within_tensorflow_but_not_in_keras_or_a_saved_model(tmp_path) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    network = nk.create_model("nasnet_cifar", num_cells=2, filters=4, input_shape=(32, 32, 3))
    paths = [variable.path for variable in network.variables]
    names = [variable.value.name for variable in network.variables]
    assert len(set(paths)) == len(paths) and "cell_0/beginning_bn/gamma" in paths
    assert "gamma:0" in names and len(set(names)) < len(names) / 4
    network.export(tmp_path / "saved", verbose=False)
    saved = SavedModel.FromString((tmp_path / "saved/saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    shared = [node.attr["shared_name"].s for node in graph.node if node.op == "VarHandleOp"]
    # A server written in C++ finds variables by them.
    assert len(set(shared)) == len(shared) >= len(names)
