"""A program that has TensorFlow and a SavedModel, and nothing else of this project."""

import functools
import pickle
import subprocess
import sys
from pathlib import Path


def ask(saved_model, requests):
    """Sends requests to a SavedModel in one process of its own.

    Args:
        saved_model: Its directory.
        requests: Signatures' inputs by name: arrays, of dtype object for bytes.

    Returns:
        For each the answer of the loaded function and of a session, as servers use one: outputs by
        name, or an error's message.
    """
    done = subprocess.run(
        [sys.executable, __file__, str(saved_model)],
        input=pickle.dumps(requests),
        capture_output=True,
        cwd=Path(saved_model).parent,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return pickle.loads(done.stdout)


def main(saved_model):
    requests = pickle.load(sys.stdin.buffer)
    # What TensorFlow prints must not mix with the answers.
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    import tensorflow as tf
    from tensorflow.core.protobuf.config_pb2 import CallableOptions

    loaded = tf.saved_model.load(saved_model)
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        meta = tf.compat.v1.saved_model.load(session, ["serve"], saved_model)

    def tensor(array):
        return tf.constant(array, tf.string if array.dtype == object else None)

    def by_function(name, request):
        found = loaded.signatures[name](**{key: tensor(x) for key, x in request.items()})
        return {key: value.numpy() for key, value in found.items()}

    @functools.cache
    def callable_of(name):
        signature = meta.signature_def[name]
        # `session.run` would compare shapes before the graph sees them, which servers do not.
        options = CallableOptions(
            feed=[tensor.name for tensor in signature.inputs.values()],
            fetch=[tensor.name for tensor in signature.outputs.values()],
        )
        return signature, session._make_callable_from_options(options)

    def by_session(name, request):
        signature, function = callable_of(name)
        found = function(*(request[key] for key in signature.inputs))
        return dict(zip(signature.outputs, found, strict=True))

    def answer(ask, request):
        try:
            return ask("serve_bytes" if "image_bytes" in request else "serving_default", request)
        except tf.errors.InvalidArgumentError as error:
            return error.message

    pairs = [[answer(ask, request) for ask in (by_function, by_session)] for request in requests]
    assert not any(name.startswith("nasnet_keras") for name in sys.modules)
    answers.write(pickle.dumps(pairs))


if __name__ == "__main__":
    main(sys.argv[1])
