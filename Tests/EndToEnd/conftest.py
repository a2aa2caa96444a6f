"""What the tests share: one gateway of each kind for a whole run, and one of its own for a test that ends it."""

import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from authority import Authority  # noqa: E402
from client import Account  # noqa: E402
from post import CROWD, posting  # noqa: E402
from program import SEEN, Sluice, report, shared  # noqa: E402
from receiver import Receiver  # noqa: E402
from sanitizer import fresh_reports, reported  # noqa: E402
from secure import SecureSluice  # noqa: E402
from workshop import compile_probe, conformance_configuration, lay_out, with_plugins  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "limit(name): goes over this limit of docs/limits.md, and sees that it is counted")


def pytest_addoption(parser):
    parser.addoption("--list-limits", action="store_true", help="print which limits the collected tests go over")


def limits_of(item) -> set[str]:
    return {name for mark in item.iter_markers("limit") for name in mark.args}


def pytest_report_collectionfinish(config, items):
    if config.getoption("list_limits", False):
        return [f"limit {name}" for name in sorted(set().union(*map(limits_of, items)))]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """A test that is marked with a limit must have seen the limit's counter move."""
    SEEN.clear()
    result = yield
    for name in limits_of(pyfuncitem):
        values = SEEN.get(f'{{limit="{name}"}}', [])
        assert values, f"the counter of {name} was not looked at"
        assert values[-1] > (values[0] if len(values) > 1 else 0), f"the counter of {name} did not move: {values}"
    return result


@pytest.fixture(autouse=True)
def no_report():
    """Fails a test during which a sanitizer has found something."""
    before = reported()
    yield
    found = fresh_reports(before)
    assert not found, found


@pytest.fixture(scope="session")
def probe_library(tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp("library") / "libprobe.so"
    compile_probe(library)
    return library


@pytest.fixture(scope="session")
def probe_folder(tmp_path_factory, probe_library) -> Path:
    """A folder of plugins that holds the probe."""
    folder = tmp_path_factory.mktemp("plugins")
    lay_out(folder, probe_library)
    return folder


@pytest.fixture
def sluice(tmp_path, request):
    """Makes gateways that belong to one test; none outlives it."""
    made: list[Sluice] = []
    numbers = itertools.count()

    def make(configuration=None, arguments=(), start=True, **options) -> Sluice:
        gateway = Sluice(tmp_path / f"gateway-{next(numbers)}", configuration, arguments, **options)
        made.append(gateway)
        return gateway.start() if start else gateway

    before = request.session.testsfailed
    yield make
    for gateway in made:
        gateway.kill()
    if request.session.testsfailed > before:
        report(request, made)


@pytest.fixture
def receiver():
    """An app's server, that takes webhooks."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def platform(tmp_path_factory, request):
    """What `make run` serves, the platform and its apps, for a crowd."""
    yield from shared(tmp_path_factory.mktemp("platform"), request, posting({}, CROWD))


@pytest.fixture(scope="module")
def conformance(tmp_path_factory, request):
    """The shipped configuration for conformance tools, on two loops, with a queue that a test can fill."""
    configuration = conformance_configuration(websocket_queue_bytes=2 << 20)
    yield from shared(tmp_path_factory.mktemp("conformance"), request, configuration, ["--loops", "2"])


@pytest.fixture(scope="module")
def keeping(tmp_path_factory, request):
    """A gateway on one loop that lets connections keep contexts, six of them."""
    configuration = {
        **conformance_configuration(websocket_compression_states=6, websocket_message_bytes=1 << 20),
        "compression": {"mode": "context", "level": 6, "min_bytes": 16, "window_bits": 11},
    }
    yield from shared(tmp_path_factory.mktemp("keeping"), request, configuration, ["--loops", "1"])


@pytest.fixture(scope="module")
def probe(tmp_path_factory, request, probe_folder):
    """A platform with the probe beside the plugins of the house, and limits that a test can reach."""
    limits = {
        "request_timeout_ms": 1200, "header_timeout_ms": 1500, "body_timeout_ms": 1500,
        # A quick machine reaches the standard one with four clients in a loop.
        "requests_per_second": 1_000_000,
    }
    yield from shared(
        tmp_path_factory.mktemp("probe"), request, with_plugins(probe_folder), ["--loops", "1"], limits=limits)


@pytest.fixture(scope="session")
def account(platform) -> Account:
    return Account(platform.url)


@pytest.fixture(scope="session")
def shop(account):
    """An app."""
    return account.app("Shop")


@pytest.fixture(scope="session")
def rival(platform):
    """Somebody else's app."""
    return Account(platform.url).app("Rival")


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def localhost(authority):
    """A certificate for this machine."""
    return authority.issue("localhost", "localhost", "127.0.0.1")


@pytest.fixture
def secure(tmp_path, request):
    """Makes gateways with TLS that belong to one test; none outlives it."""
    made: list[SecureSluice] = []

    def make(tls: dict, **limits) -> SecureSluice:
        made.append(SecureSluice(tmp_path / f"gateway-{len(made)}", tls, ["--loops", "1"], **limits))
        return made[-1].start()

    before = request.session.testsfailed
    yield make
    for gateway in made:
        gateway.kill()
    if request.session.testsfailed > before:
        report(request, made)
