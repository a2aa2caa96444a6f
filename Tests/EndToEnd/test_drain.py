"""SIGTERM: what is under way ends well, nothing new begins, and the exit code says so."""

import socket
import time

import pytest
import requests

from wire import Closed, RawSocket, Wire, get
from workshop import conformance_configuration, with_plugins


def test_a_request_under_way_is_answered_new_connections_are_refused_and_the_exit_is_clean(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 1])
    with Wire(gateway.port) as wire, Wire(gateway.port) as idle:
        assert idle.send(get("/probe/at-once/x")).answer().status == 200
        wire.send(get("/probe/later"))
        time.sleep(0.1)
        gateway.terminate()
        time.sleep(0.2)
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", gateway.port), timeout=2) as late:
            late.sendall(get("/healthz"))
            if not late.recv(100):
                raise OSError("closed at once")
        answer = wire.answer()
        assert answer.body == b"later" and answer["connection"] == "close"
        assert idle.is_closed()
    assert gateway.wait() == 0


def test_requests_under_way_on_every_loop_are_answered_though_other_connections_end_before(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder), ["--loops", 2])
    waiting = [Wire(gateway.port) for _ in range(2)]
    idle = [Wire(gateway.port) for _ in range(6)]
    for _ in range(3):
        for wire in idle:
            assert wire.send(get("/probe/at-once/x")).answer().status == 200
    for wire in waiting:
        wire.send(get("/probe/later"))
    time.sleep(0.1)
    gateway.terminate()
    for wire in waiting:
        assert wire.answer().body == b"later"
        wire.socket.close()
    for wire in idle:
        assert wire.is_closed()
    assert gateway.wait() == 0


@pytest.mark.parametrize("loops", [1, 2])
def test_a_websocket_is_closed_with_3001_on_every_loop(sluice, loops):
    gateway = sluice(conformance_configuration(), ["--loops", loops])
    sockets = [RawSocket(gateway.port, "/echo") for _ in range(6)]
    gateway.terminate()
    assert [opened.close_code() for opened in sockets] == [3001] * 6
    for opened in sockets:
        opened.socket.close()
    assert gateway.wait() == 0


def test_draining_ends_when_its_time_is_over_though_a_request_never_ends(sluice, probe_folder):
    gateway = sluice(with_plugins(probe_folder, drain_timeout_ms=500))
    with Wire(gateway.port) as wire:
        wire.send(get("/probe/silent"))
        time.sleep(0.1)
        gateway.terminate()
        # Well before the request's own time is over, or this would give up.
        assert gateway.wait() == 0
        try:
            assert wire.answer().status in (503, 504)
        except Closed:
            pass


def test_a_second_start_on_the_same_port_and_data_follows_at_once(sluice):
    gateway = sluice()
    for _ in range(3):
        assert gateway.stop() == 0
        gateway.start()
    assert requests.get(f"{gateway.url}/readyz", timeout=5).status_code == 200
