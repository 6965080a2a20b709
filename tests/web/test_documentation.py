"""The OpenAPI document is true, and no request, right or wrong, makes the server fail."""

import re
from contextlib import suppress
from typing import Any

import cv2
import numpy as np
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

ENDLESS = ["/video_feed", "/api/events", "/api/live"]
"""Streams do not end; they have tests of their own."""
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
"""500 is an answer that no route describes."""
PICTURE = cv2.imencode(".jpg", np.full((64, 64, 3), 99, np.uint8))[1].tobytes()

schemathesis.openapi.format("binary", st.just(PICTURE) | st.binary())
schemathesis.openapi.media_type("image/*", st.just(PICTURE) | st.binary())


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_are_as_described(app: Flask, mode: GenerationMode):
    """Whatever is sent, the answer has a status, a type and a form that the document names."""
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app).exclude(path=ENDLESS)
    called = set()
    for operation in (result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)):

        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy(generation_mode=mode))
        def call(case: Case[Any]) -> None:
            case.call_and_validate(checks=CHECKS)
            called.add(case.operation.label)

        with suppress(Unsatisfiable):  # what takes nothing cannot be given anything wrong
            call()
    assert called >= {"POST /api/predict", "POST /api/live/frame", "POST /api/jobs"}


def test_every_route_of_the_api_is_described(app: Flask, client: FlaskClient):
    """No route under /api is missing from the document but the document itself and its page."""
    described = {
        path.replace("{", "<").replace("}", ">") for path in client.get("/api/openapi.json").get_json()["paths"]
    }
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert routes - described == {"/api/openapi.json", "/api/docs"}


def test_the_page_asks_no_other_host(client: FlaskClient):
    """The page is made from files that are served here, within the content policy."""
    page = client.get("/api/docs").text
    assert "https://" not in page
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert {"swagger-ui-bundle.js", "swagger-ui.css", "api.js"} <= {name.rpartition("/")[2] for name in files}
    assert {client.get(name).status_code for name in files} == {200}
