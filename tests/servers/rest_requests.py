"""Requests over REST with nothing but Python, and what is in their answers."""

from __future__ import annotations

import base64
import io
import json
import urllib.error
import urllib.request

import numpy as np
from PIL import Image

from tests.servers.running_server import RunningServer


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png")
    return stream.getvalue()


def tensor(name, data_type, values, shape=None):
    """Returns an input as REST has it."""
    shape = list(np.shape(values)) if shape is None else shape
    flat = np.asarray(values, object).reshape(-1).tolist()
    return {"name": name, "datatype": data_type, "shape": shape, "data": flat}


def files(*encoded):
    texts = [base64.b64encode(each).decode() for each in encoded]
    return tensor("image_bytes", "BYTES", texts)


def ask(server: RunningServer, model: str, *inputs, **more):
    """Sends a request over REST with nothing but Python; returns the status and the answer."""
    body = json.dumps({"inputs": list(inputs), **more}).encode()
    url = f"http://127.0.0.1:{server.http}/v2/models/{model}/infer"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def outputs(answer):
    return {
        each["name"]: np.asarray(each["data"]).reshape(each["shape"]) for each in answer["outputs"]
    }
