"""Tests of the guard, which every request passes, and of errors in the format of their path."""

import pytest
from aiohttp import web

from catdog_stream.web.api.guards.guarding import guard
from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.api.problems import Problem
from tests.support.tokens import bearer
from tests.web.api.serving_apps import Client, play


async def fine(_request: web.Request) -> web.Response:
    return web.Response(text="fine")


async def broken(_request: web.Request) -> web.Response:
    raise RuntimeError("it broke, and quotes a-secret")


async def problem(_request: web.Request) -> web.Response:
    raise Problem(409, "No.", headers={"Retry-After": "7"}, more="this")


ROUTES = [
    web.post("/images/", fine),
    web.get("/images/broken", broken),
    web.get("/images/problem", problem),
    web.get("/v2/problem", problem),
    web.get("/v2/broken", broken),
    web.get("/v2", fine),
    web.get("/page", problem),
]


def test_programs_are_told_of_problems() -> None:
    async def scenario(client: Client) -> None:
        for path, status in (
            ("/images/problem", 409),
            ("/images/broken", 500),
            ("/images/a/b/c", 404),
            ("/images", 404),
            ("/images/", 405),
        ):
            told = await client.get(path)
            body = await told.json(content_type="application/problem+json")
            assert body["status"] == told.status == status
            assert {"type", "title", "detail"} <= body.keys()
            assert "secret" not in str(body)
        assert (await client.get("/images/")).headers["Allow"] == "POST"

    play(scenario, ROUTES)


def test_a_problem_has_its_headers_and_members() -> None:
    async def scenario(client: Client) -> None:
        told = await client.get("/images/problem")
        assert told.headers["Retry-After"] == "7"
        assert (await told.json(content_type=None))["more"] == "this"

    play(scenario, ROUTES)


def test_the_protocol_has_errors_of_its_own() -> None:
    async def scenario(client: Client) -> None:
        for path in ("/v2/problem", "/v2/broken", "/v2/nothing"):
            assert (await (await client.get(path)).json()).keys() == {"error"}
        assert (await (await client.post("/v2")).json()).keys() == {"error"}
        people = {"Accept": "text/html,application/xhtml+xml;q=0.9"}
        for path, text in (("/page", "No.\n"), ("/none", "There is nothing here.\n")):
            assert await (await client.get(path, headers=people)).text() == text
            told = await client.get(path)
            assert told.content_type == "application/problem+json", "for programs"

    play(scenario, ROUTES)


def test_a_body_in_an_unknown_coding_is_not_read() -> None:
    async def scenario(client: Client) -> None:
        for coding in ("compress", "unheard-of"):
            refused = await client.post(
                "/images/", data=b"x", headers={"Content-Encoding": coding}, compress=False
            )
            assert refused.status == 415, coding
            assert refused.headers["Accept-Encoding"] == "gzip, deflate"
            assert refused.content_type == "application/problem+json"

    play(scenario, ROUTES)


def test_pages_of_others_do_not_send() -> None:
    async def scenario(client: Client) -> None:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.org"}):
            assert (await client.post("/images/", headers=headers)).status == 403
            assert (await client.get("/v2", headers=headers)).status == 200, "reading is no harm"
        assert (await client.post("/images/")).status == 200

    play(scenario, ROUTES)


@pytest.mark.parametrize("sending", [True, False])
def test_sending_can_be_switched_off(*, sending: bool) -> None:
    async def scenario(client: Client) -> None:
        assert (await client.post("/images/")).status == (200 if sending else 403)
        assert (await client.get("/v2")).status == 200

    play(scenario, ROUTES, guard(Tokens(None, None), sending=sending))


def test_without_the_token_nobody_learns_what_there_is() -> None:
    async def scenario(client: Client) -> None:
        for path in ("/v2", "/nothing-here", "/images/problem"):
            assert (await client.get(path)).status == 401
        assert (await client.get("/v2", headers=bearer("reading-secret"))).status == 200

    play(scenario, ROUTES, guard(Tokens("reading-secret", None), sending=True))
