"""The table of routes, what is served and what the OpenAPI document says are one; and nothing breaks the API."""

import json
import re

import pytest
from starlette.routing import Route

from bgsub.live.web.page_files import page_files
from tests.live.web.served import status


def test_the_document_says_what_is_served(page):
    document = page.get("/api/openapi.json").body
    served = {
        (method.lower(), route.path) for route in page.call(routes(page)) for method in (route.methods or ()) - {"HEAD"}
    }
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert served == described
    assert document["openapi"] == "3.1.0"
    text = json.dumps(document)
    names = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert names <= set(document["components"]["schemas"])
    assert {"News", "Bundle", "Looking", "Drawn"} <= set(document["components"]["schemas"])


async def routes(page):
    app = page.server.application()
    return [route for route in app._app.routes if isinstance(route, Route)]


def test_the_page_asks_for_nothing_that_is_not_in_the_table(page):
    document = page.get("/api/openapi.json").body
    known = [re.sub(r"\{\w+\}", "[^/]+", path) for path in document["paths"]]
    found = set()
    for name, file in page_files().items():
        text = file.data.decode()
        asked = re.findall(r'["`(](/(?:api|page|parts)/[^"`?\s)]*)', text)
        found |= {(name, re.sub(r"\$\{query.*", "", path)) for path in asked}
    assert len(found) > 15
    found = {(name, re.sub(r"\$\{[^}]*\}?", "x", path)) for name, path in found}
    unknown = [(name, path) for name, path in found if not any(re.fullmatch(one, path) for one in known)]
    assert unknown == []


def test_no_file_of_the_page_names_another_host():
    for name, file in page_files().items():
        text = file.data.decode().replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://\w|//\w+\.\w+/|@import|url\(|eval\(|style=", text) == [], name


def test_examples_of_answers_fit_their_types(page):
    import msgspec

    from bgsub.live.web.questions import CameraSettings, EventPage, Overview

    page.note(status())
    page.event()
    for path, kind in (
        ("/api/overview", Overview), ("/api/events", EventPage), ("/api/cameras/yard/settings", CameraSettings),
    ):  # fmt: skip
        assert msgspec.json.decode(page.get(path, raw=True).body, type=kind)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_the_api_survives_what_its_document_allows_and_what_it_does_not(page, mode):
    schemathesis = pytest.importorskip("schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings

    page.note(status())
    page.event()
    page.segment()
    document = page.get("/api/openapi.json").body
    answered = {}

    def fuzz(operation):
        @settings(
            max_examples=20,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=schemathesis.GenerationMode[mode]))
        def call(case):
            answer = case.call(base_url=page.address.rstrip("/"))
            answered.setdefault(f"{case.method} {case.path}", set()).add(answer.status_code)

        call()

    operations = [result.ok() for result in schemathesis.openapi.from_dict(document).get_all_operations()]
    assert len(operations) == sum(len(methods) for methods in document["paths"].values())
    for operation in operations:
        if mode == "POSITIVE" or operation.path_parameters or operation.query or operation.body:
            fuzz(operation)
    assert {200} <= set().union(*answered.values()) if mode == "POSITIVE" else {400} <= set().union(*answered.values())
    broken = {name: max(codes) for name, codes in answered.items() if max(codes) >= 500 and name != "GET /health"}
    assert broken == {}
    described = {f"{method.upper()} {path}": {int(code) for code in operation["responses"]}
                 for path, methods in document["paths"].items() for method, operation in methods.items()}  # fmt: skip
    unsaid = {name: codes - described[name] for name, codes in answered.items() if codes - described[name]}
    assert unsaid == {}
