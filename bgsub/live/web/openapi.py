"""The OpenAPI document, made from the table of routes and the types in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from bgsub import __version__
from bgsub.live.web.guard import OWN_HEADER
from bgsub.live.web.questions import Bundle, Drawn, Looking, News, Nothing, Refusal
from bgsub.live.web.routing import Route

_TEXTS = {
    304: "It is as it was.", 206: "A part of it.", 416: "It has no such part.", 409: "It is another now.",
    503: "Something is wrong.", 426: "It is a WebSocket.",
}  # fmt: skip


def document(routes: Sequence[Route]) -> bytes:
    """Return the document as JSON."""
    kinds = {kind for route in routes for kind in (route.answer, route.place, route.query, route.body)}
    kinds |= {Refusal, Looking, Drawn, News, Bundle}
    structs = sorted((kind for kind in kinds if isinstance(kind, type)), key=lambda kind: kind.__name__)
    _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    for schema in components.values():
        schema.pop("description", None)  # docstrings are for who reads the code
    return msgspec.json.encode(
        {
            "openapi": "3.1.0",
            "info": {"title": "bgsub watch", "version": __version__},
            "paths": paths,
            "components": {
                "schemas": components,
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            },
            "security": [{}, {"token": []}],
        }
    )


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.says,
        "operationId": _name(route),
        "x-role": route.role,
        "parameters": [*_parameters(route.place, "path"), *_parameters(route.query, "query")],
        "responses": {str(status): answer for status, answer in _answers(route).items()},
    }
    if route.method not in ("GET", "HEAD"):
        operation["parameters"].append({"name": OWN_HEADER, "in": "header", "required": True, "schema": {"const": "1"}})
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(route.body)}
    return operation


def _name(route: Route) -> str:
    words = re.findall(r"[a-z]+", route.path)
    return "_".join([route.method.lower(), *words])


def _answers(route: Route) -> dict[int, dict[str, Any]]:
    answers: dict[int, dict[str, Any]] = {route.status: {"description": route.says}}
    if isinstance(route.answer, type):
        answers[route.status]["content"] = _json(route.answer)
    elif route.answer:
        answers[route.status]["content"] = {route.answer: {}}
    refused = {400: "It was not understood.", 421: "This is no name of this host.", 429: "Too many wrong tries."}
    if route.role != "anyone" or route.body is not None:
        refused[401] = "It needs a password."
    if route.role != "anyone" or route.method != "GET":
        refused[403] = "It is not allowed."
    if route.place is not Nothing:
        refused[404] = "There is nothing of this name."
    if route.body is not None:
        refused |= {408: "The body was too slow.", 413: "The body is too large.", 415: "The body is no JSON."}
    for status in route.others:
        answers[status] = {"description": _TEXTS[status]}
        if status >= 400 and status != 416:
            answers[status]["content"] = {"application/json": {}}
    for status, text in refused.items():
        answers.setdefault(status, {"description": text, "content": _json(Refusal)})
    return answers


def _json(kind: type[Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}


def _parameters(kind: type[Struct], place: str) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    schema = components[kind.__name__]
    required = set(schema.get("required", ()))
    return [
        {"name": name, "in": place, "required": place == "path" or name in required, "schema": _of_query(value)}
        for name, value in schema["properties"].items()
    ]


def _of_query(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of what is left out where it is None."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    if len(options) == 1:
        return options[0]
    return {key: value for key, value in schema.items() if key != "default" or value is not None}
