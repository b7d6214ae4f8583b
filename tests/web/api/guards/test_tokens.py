"""Tests of the two tokens: one permits reading, the other sending."""

from base64 import b64encode

import pytest

from catdog_stream.web.api.guards.tokens import Tokens
from catdog_stream.web.api.problems import Problem
from tests.support.tokens import bearer

BOTH = Tokens(read="reading-secret", send="sending-secret")


def basic(password: str, user: str = "anybody") -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("method", "token"), [("GET", "reading-secret"), ("HEAD", "reading-secret")]
)
def test_the_token_for_reading_reads(method: str, token: str) -> None:
    for path in ("/", "/labels/", "/metrics", "/shards/", "/images/3-17", "/nothing-here"):
        BOTH.check(method, path, bearer(token))
        BOTH.check(method, path, basic(token))


def test_the_token_for_sending_sends() -> None:
    BOTH.check("POST", "/images/", bearer("sending-secret"))
    BOTH.check("POST", "/images/", basic("sending-secret"))
    BOTH.check("POST", "/v2/models/catdog/infer", {"Authorization": "bearer sending-secret"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        bearer("sending-secret"),
        bearer("reading-secre"),
        bearer("reading-secret "[::-1]),
        bearer("r\udce9ading-secret"),
        {"Authorization": "reading-secret"},
        {"Authorization": "Digest reading-secret"},
        {"Authorization": "Basic reading-secret"},
        {"Authorization": "Basic ====="},
        basic(""),
        basic("x", user="reading-secret"),
    ],
)
def test_nothing_else_does(headers: dict[str, str]) -> None:
    with pytest.raises(Problem) as told:
        BOTH.check("GET", "/labels/", headers)
    assert told.value.status == 401
    with pytest.raises(Problem):
        BOTH.check("POST", "/images/", bearer("reading-secret"))


def test_each_can_be_needed_alone() -> None:
    Tokens(read=None, send="sending-secret").check("GET", "/", {})
    Tokens(read="reading-secret", send=None).check("POST", "/images/", {})
    Tokens(read=None, send=None).check("POST", "/images/", {})


def test_probes_need_none() -> None:
    for path in ("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"):
        BOTH.check("GET", path, {})


def challenge(method: str, path: str) -> str:
    with pytest.raises(Problem) as told:
        BOTH.check(method, path, {})
    return told.value.headers["WWW-Authenticate"]


def test_a_browser_asks_its_user_for_the_page_and_for_sending_but_a_program_is_told() -> None:
    assert challenge("GET", "/").startswith('Basic realm="catdog_stream"')
    assert challenge("GET", "/labels/") == 'Bearer realm="catdog_stream"'
    assert challenge("POST", "/images/") == 'Bearer realm="catdog_stream"'


def test_nothing_shows_them() -> None:
    assert "secret" not in repr(BOTH)
    with pytest.raises(Problem) as told:
        BOTH.check("GET", "/", bearer("sending-secret"))
    assert "secret" not in str(told.value)


def test_what_opens_the_way_for_other_workers_opens_nothing_else() -> None:
    tokens = Tokens("of readers", "of senders", lambda: "of this worker")
    given = bearer("of this worker")
    tokens.check("GET", "/shards/", given)
    tokens.check("GET", "/shards/", bearer("of readers"))
    for method, path in (
        ("GET", "/"),
        ("GET", "/labels/"),
        ("POST", "/shards/"),
        ("GET", "/shards"),
    ):
        with pytest.raises(Problem):
            tokens.check(method, path, given)
    with pytest.raises(Problem):
        Tokens("of readers", None).check("GET", "/shards/", bearer(None))
