"""Starts KServe's server on the loopback interface: HTTP_PORT GRPC_PORT NAME=FILE..."""

import sys

import grpc
from kserve import ModelServer, model_server

from nasnet_keras.serving import KServeModel


class _LoopbackServer(model_server.RESTServer):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        # It is made for containers, and has no option for it.
        self.config.host = "127.0.0.1"


def _on_loopback(add_port):
    return lambda server, address: add_port(server, address.replace("[::]", "127.0.0.1"))


if __name__ == "__main__":
    http, grpc_port, *files = sys.argv[1:]
    model_server.RESTServer = _LoopbackServer
    grpc.aio.Server.add_insecure_port = _on_loopback(grpc.aio.Server.add_insecure_port)
    models = [KServeModel(*each.split("=")) for each in files]
    ModelServer(http_port=int(http), grpc_port=int(grpc_port)).start(models)
