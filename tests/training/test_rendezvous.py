"""Workers wait for each other, and name whom they wait for."""

import socket
import threading

import pytest

from nasnet_keras.training.rendezvous import await_workers


@pytest.fixture
def addresses():
    """The addresses of two workers at free ports."""
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("localhost", 0))
        return [f"localhost:{each.getsockname()[1]}" for each in (first, second)]


def test_workers_find_each_other_whoever_comes_first(addresses):
    failures = []

    def join(worker):
        try:
            await_workers(addresses, worker, 30, failures.append)
            # As TensorFlow does next.
            with socket.create_server(("", int(addresses[worker].split(":")[1]))):
                gone.wait()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=join, args=(worker,)) for worker in (0, 1)]
    gone = threading.Barrier(2, timeout=30)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_a_worker_that_does_not_come_is_named(addresses):
    with pytest.raises(ValueError) as caught:
        await_workers(addresses, 0, 0.3)
    assert str(caught.value).startswith(f"waited 0.3 s for worker 1 ({addresses[1]}): start all")


def test_who_waits_says_for_whom(addresses, monkeypatch):
    monkeypatch.setattr("nasnet_keras.training.rendezvous._SILENT_SECONDS", 0.0)
    said = []
    with pytest.raises(ValueError, match="waited"):
        await_workers(addresses, 1, 0.5, said.append)
    assert said == [f"waiting for worker 0 ({addresses[0]}), 0.5 s at most"]


def test_a_taken_port_is_named(addresses):
    port = int(addresses[0].split(":")[1])
    with socket.create_server(("", port)), pytest.raises(OSError) as caught:
        await_workers(addresses, 0, 1)
    assert caught.value.filename == f"port {port} of this worker"
    assert caught.value.strerror.startswith("Address already in use: ")


@pytest.mark.parametrize("address", ["host", "host:", ":80", "host:x", "host:0", "host:65536"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValueError, match=f"HOST:PORT, got '{address}'"):
        await_workers([address], 0, 1)
