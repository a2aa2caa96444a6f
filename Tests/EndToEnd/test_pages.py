"""What the gateway answers itself: health, metrics, the OpenAPI document."""

import re

import pytest

from wire import ask, get


def test_the_gateways_own_pages_answer_on_every_host(conformance):
    for path in ("/healthz", "/readyz", "/openapi.json", "/docs", "/metrics"):
        assert ask(conformance.port, get(path, host="anything.test")).status == 200, path


def test_metrics_are_in_the_format_of_prometheus_and_count(conformance):
    def count():
        return conformance.metric("sluice_responses_total", '{status="2xx"}')

    before = count()
    for _ in range(5):
        ask(conformance.port, get("/hello/swift"))
    assert count() >= before + 5
    answer = ask(conformance.port, get("/metrics"))
    assert answer["content-type"].startswith("text/plain; version=0.0.4")
    types = {}
    for line in answer.body.decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert types.setdefault(name, kind) == kind and kind in ("counter", "gauge", "histogram")
        elif not line.startswith("#"):
            matched = re.fullmatch(r'([a-z][a-z0-9_]*)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+]+', line)
            assert matched and re.sub(r"_(bucket|sum|count)$", "", matched[1]) in types, line


@pytest.mark.parametrize("query", ["", "?app=platform"])
def test_the_openapi_document_is_valid_and_names_every_route(platform, query):
    from openapi_spec_validator import validate

    document = ask(platform.port, get(f"/openapi.json{query}")).json()
    validate(document)
    assert document["openapi"].startswith("3.1")
    assert "post" in document["paths"]["/v1/apps"] and "post" in document["paths"]["/v1/accounts"]
    operations = [operation["operationId"] for item in document["paths"].values() for name, operation in item.items()
                  if name in ("get", "post", "put", "patch", "delete")]
    assert len(operations) == len(set(operations))


def test_the_openapi_document_of_an_app_shows_what_that_app_has(platform, account):
    from openapi_spec_validator import validate

    app = account.app("Narrow")
    document = ask(platform.port, get(f"/openapi.json?app={app.id}")).json()
    validate(document)
    assert "/v1/channels" in document["paths"] and "/v1/apps" not in document["paths"]
    app.set_plugin("chat", enabled=False)
    document = ask(platform.port, get(f"/openapi.json?app={app.id}")).json()
    assert "/v1/channels" not in document["paths"]
    assert ask(platform.port, get("/openapi.json?app=app_00000000000000000000000000")).status == 404
