"""Tests that the description covers exactly the operations that exist."""

from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web

from catdog_stream.app import build_app
from catdog_stream.settings import Settings
from catdog_stream.web.api.api import Api
from catdog_stream.web.api.openapi.document import openapi_document

OPEN = openapi_document(read_token=False, send_token=False)
#: Paths that are registered as pages of the worker.
PAGES = {"/labels/", "/labels/{label}/", "/history/", "/rejected/"}


def walk(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
        for each in document.values():
            yield from walk(each)
    elif isinstance(document, list):
        for each in document:
            yield from walk(each)


def test_every_path_of_the_api_and_no_other_is_described() -> None:
    application = web.Application()
    app = build_app(Settings())
    Api(app.settings, app.watchdog._health, lambda: None).register(application.router)
    paths = {
        (route.resource.canonical, route.method.lower())
        for route in application.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(path, method) for path, methods in OPEN["paths"].items() for method in methods}
    assert paths - {("/openapi.json", "get"), ("/v2/", "get")} == {
        each for each in described if each[0] not in PAGES
    }
    assert {path for path, _ in described} >= PAGES


def test_every_name_is_that_of_a_schema() -> None:
    schemas = OPEN["components"]["schemas"]
    names = {each["$ref"].rpartition("/")[2] for each in walk(OPEN) if "$ref" in each}
    assert names - schemas.keys() == set()
    assert schemas.keys() - names == set(), "each is used"


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for each in walk(OPEN) if "operationId" in each]
    assert len(names) == len(set(names))


def test_paths_have_their_parameters() -> None:
    for path, operations in OPEN["paths"].items():
        for operation in operations.values():
            known = [each["name"] for each in operation.get("parameters", ())]
            for name in (part[1:-1] for part in path.split("/") if part.startswith("{")):
                assert name in known, path


@pytest.mark.parametrize(("read", "send"), [(True, False), (False, True), (True, True)])
def test_tokens_are_asked_for_where_they_are_needed(*, read: bool, send: bool) -> None:
    paths = openapi_document(read_token=read, send_token=send)["paths"]
    assert ("security" in paths["/images/"]["post"]) == send
    assert ("security" in paths["/v2/models/{name}/infer"]["post"]) == send
    assert ("security" in paths["/labels/"]["get"]) == read
    assert "security" not in paths["/v2/health/ready"]["get"]
