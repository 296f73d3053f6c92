"""What the OpenAPI document promises is what the gateway does, tried by Schemathesis against a running one."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth

from mercato.compute.gateway import openapi
from mercato.compute.gateway.asgi import SURFACES
from mercato.compute.gateway.checks import Bounds
from mercato.compute.testing import stub
from tests.compute.gateway.conftest import Open
from tests.profiles import PROFILE

EXAMPLES = {"nightly": 300}.get(PROFILE, 4)
DOCUMENT = openapi.document(Bounds())
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


def test_every_surface_is_in_the_document() -> None:
    assert set(SURFACES) <= set(DOCUMENT["paths"])


def test_the_document_is_served_without_a_key_as_the_settings_have_it(house: Open) -> None:
    found = house({}, choices=3).get("/openapi.json", {"authorization": ""}).json

    assert found["components"]["schemas"]["ChatRequest"]["properties"]["n"]["maximum"] == 3


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_whatever_is_sent_the_answer_is_as_promised(house: Open, mode: GenerationMode) -> None:
    with stub() as one:
        home = house({"one": one.url})
        schema = schemathesis.openapi.from_dict(DOCUMENT)
        schema.config.update(base_url=home.base.removesuffix("/v1"))
        # What breaks the schema may be too large as well, and is refused for that before it is read.
        rejection = schema.config.checks.negative_data_rejection
        rejection.expected_statuses = [*rejection.expected_statuses, "413"]
        for path, method in OPERATIONS:
            _try(schema[path][method], mode, home.ann)

    assert home.balance("ann")[1] == 0, "nothing stays reserved"


def _try(operation: Any, mode: GenerationMode, key: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {key}"}
        case.call_and_validate(timeout=10, excluded_checks=[ignored_auth])  # the key is ours, not the one drawn

    each()
