"""Every operation of `/openapi.json` under schemathesis: requests that follow the schemas, and requests that do not.

No answer is 5xx, none has a status, or a JSON body, that the document does not describe; and every operation succeeds once,
with the request that `world.py` has for it, or with one that schemathesis makes from the schema and what there is. All of it is
the same in every run: nothing is drawn by chance.
"""

from collections import Counter

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from program import shared
from sanitizer import SLOWNESS, unsanitized
from post import CROWD, posting
from world import DOMAINS, OPERATOR, Ask, World

# Requests of each kind for each operation.
EXAMPLES = 6
# Each of these makes a worker hash a password, 26 ms, or sends a mail.
FEW = 3
COSTLY = {
    "createAccount", "createSession", "importAccount", "resetPassword", "changePassword", "enrolTotp", "disableTotp",
    "createInvitation", "forgetPassword", "resendVerification", "requestEmailChange", "deleteMe",
}
# Whoever is asked for these is not there for others afterwards.
DESTRUCTIVE = {"delete"}
NO_APP = "app_00000000000000000000000000"
PATIENCE = 10 * SLOWNESS
METHODS = ("get", "put", "post", "delete", "patch")
pytestmark = unsanitized("the requests are thousands, and the other tests send what is malformed")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, request):
    limits = {"requests_per_second": 1_000_000, "user_requests_per_second": 0}
    configuration = posting({}, {"operators": [OPERATOR], **CROWD})
    platform = configuration["tenants"][0]["plugins"]
    # Nobody answers there: a look for a proof finds none, and does not wait.
    platform["control"] = {"config": {"domains": [{"host": DOMAINS}], "dns_server": "127.0.0.1:1"}}
    yield from shared(tmp_path_factory.mktemp("schemathesis"), request, configuration, ["--loops", "1"], limits=limits)


@pytest.fixture(scope="module")
def world(gateway) -> World:
    return World(gateway)


@pytest.fixture(scope="module")
def operations(gateway) -> list:
    document = requests.get(f"{gateway.url}/openapi.json", timeout=PATIENCE).json()
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations()]
    expected = sum(method in METHODS for item in document["paths"].values() for method in item)
    assert len(found) == expected > 40
    return found


def name(operation) -> str:
    return operation.definition.raw.get("operationId") or operation.label


def is_socket(operation) -> bool:
    return "101" in operation.definition.raw["responses"]


def credential(operation, world: World) -> str | None:
    """A good credential of the first kind that an operation takes."""
    kinds = {
        "accountToken": world.victim if operation.method in DESTRUCTIVE else world.owner, "secretKey": world.app.server, "userToken": world.user, "publicKey": world.guest,
    }
    for alternative in operation.definition.raw.get("security", []):
        for kind in alternative:
            if kind in kinds:
                return kinds[kind].session.headers["Authorization"]
    return None


def known(operation, world: World) -> dict[str, str]:
    """What there is for the parameters of a path."""
    names = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    found = {parameter: world.known(operation.path, parameter) for parameter in names}
    return {parameter: value for parameter, value in found.items() if value is not None}


def send(url: str, **options) -> requests.Response:
    """One request; an answer that never ends is left when its head has come."""
    with requests.Session() as session:
        answer = session.request(url=url, timeout=PATIENCE, stream=True, allow_redirects=False, **options)
        if is_stream(answer):
            answer._content = b""
            answer.close()
        else:
            answer.content
        return answer


def is_success(answer: requests.Response) -> bool:
    """2xx; a redirection is none, though `ok` says so."""
    return 200 <= answer.status_code < 300


def is_stream(answer: requests.Response) -> bool:
    kind = answer.headers.get("content-type", "")
    return answer.status_code == 101 or is_success(answer) and "content-length" not in answer.headers and "json" not in kind


def faults(case, answer: requests.Response) -> list[str]:
    """What is wrong with an answer, a line each."""
    where = f"{case.operation.label}: {answer.status_code}"
    if answer.status_code >= 500:
        return [f"{where} {answer.text[:300]!r} to {case.as_curl_command()[:600]}"]
    checks = [status_code_conformance]
    if "json" in answer.headers.get("content-type", ""):
        checks.append(response_schema_conformance)
    try:
        case.validate_response(answer, checks=checks)
    except BaseExceptionGroup as error:
        reasons = "; ".join(" ".join(str(one).split())[:200] for one in error.exceptions)
        return [f"{where} {reasons} {answer.text[:200]!r} to {case.as_curl_command()[:600]}"]
    return []


class Trial:
    """What became of the operations."""

    def __init__(self, url: str, world: World):
        self.url = url
        self.world = world
        self.faults: list[str] = []
        self.statuses: dict[str, Counter] = {}

    def ask(self, operation, mode: GenerationMode, count: int, authorization: str | None, app: str | None = None, **fixed) -> None:
        """Sends requests that schemathesis makes; those for what is `fixed` name what there is, and those for an `app` say so."""
        seen = self.statuses.setdefault(name(operation), Counter())

        @settings(
            max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode, **fixed))
        def each(case):
            options = case.as_transport_kwargs(base_url=self.url)
            options["headers"] = {
                key: value for key, value in (options.get("headers") or {}).items() if key.lower() != "authorization"}
            if authorization:
                options["headers"]["Authorization"] = authorization
            if app:
                options["params"] = {**(options.get("params") or {}), "app": app}
            try:
                answer = send(**options)
            except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
                return  # the client does not send it
            seen[answer.status_code] += 1
            self.faults += faults(case, answer)

        try:
            each()
        except Unsatisfiable:
            pass  # there is nothing to send that breaks so open a schema

    def succeed(self, operation, ask: Ask) -> bool:
        """Sends the one request that is to succeed."""
        path, parameters = operation.path, {**known(operation, self.world), **ask.path}
        for parameter, value in parameters.items():
            path = path.replace("{" + parameter + "}", value)
        headers = {}
        authorization = ask.by.session.headers.get("Authorization") if ask.by else credential(operation, self.world)
        if authorization:
            headers["Authorization"] = authorization
        options = {"params": ask.query, "headers": headers}
        if ask.body is not None:
            options["json"] = ask.body
        if ask.content is not None:
            options["data"], headers["Content-Type"] = ask.content, ask.content_type
        headers.update(ask.headers)
        answer = send(self.url + path, method=operation.method.upper(), **options)
        self.statuses.setdefault(name(operation), Counter())[answer.status_code] += 1
        self.faults += faults(operation.Case(path_parameters=parameters), answer)
        return answer.status_code == 101 or is_success(answer)


HANDSHAKE = {
    "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_every_operation_succeeds_once(gateway, world, operations):
    trial = Trial(gateway.url, world)
    failed = []
    for operation in operations:
        if is_socket(operation):
            answer = send(
                gateway.url + operation.path, method="GET",
                headers={**HANDSHAKE, "Authorization": world.user.session.headers["Authorization"]},
                params={"channels": "chat:messaging:general"})
            if answer.status_code != 101:
                failed.append(f"{operation.label} ({name(operation)}): {answer.status_code} {answer.text[:200]}")
            continue
        ask = world.ask(name(operation))
        if ask and trial.succeed(operation, ask):
            continue
        if ask is None and operation.method not in DESTRUCTIVE:
            trial.ask(
                operation, GenerationMode.POSITIVE, EXAMPLES, credential(operation, world),
                path_parameters=known(operation, world))
        statuses = trial.statuses.get(name(operation), Counter())
        if not any(200 <= status < 300 for status in statuses):
            failed.append(
                f"{operation.label} ({name(operation)}): no 2xx, but {dict(statuses)}; "
                + ("world.py asks wrongly" if ask else f"give world.py a method _{name(operation)}"))
    assert not failed, "\n".join([f"{len(failed)} operations never succeeded:", *failed])
    assert not trial.faults, "\n".join(trial.faults[:40])


def test_no_operation_answers_5xx_or_what_is_not_described(gateway, world, operations):
    trial = Trial(gateway.url, world)
    for operation in operations:
        count = FEW if name(operation) in COSTLY else EXAMPLES
        good = credential(operation, world)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            trial.ask(operation, mode, count, good)
            # Of what there is, where that does not take it away.
            if known(operation, world) and operation.method not in DESTRUCTIVE:
                trial.ask(operation, mode, count, good, path_parameters=known(operation, world))
        if good:
            trial.ask(operation, GenerationMode.POSITIVE, FEW, None)
            trial.ask(operation, GenerationMode.POSITIVE, FEW, "Bearer sk_wrong")
        # Whatever an operation asks for, requests may name an app, with a credential of somebody else or with none.
        for app in (world.app.id, NO_APP):
            for authorization in {None, good, world.owner.session.headers["Authorization"]}:
                trial.ask(operation, GenerationMode.POSITIVE, 1, authorization, app)
    assert not trial.faults, "\n".join([f"{len(trial.faults)} wrong answers", *trial.faults[:40]])
