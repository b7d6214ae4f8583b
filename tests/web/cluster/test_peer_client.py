"""Tests of a peer's answer: it is accepted only if it is a worker's answer."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream import deadlines
from catdog_stream.web.cluster import peer_client
from catdog_stream.web.cluster.peer_client import SHARDS_PATH, ask
from catdog_stream.web.cluster.peer_tokens import ANSWER_HEADER, answer_proof, question_token
from catdog_stream.web.cluster.state import (
    PeerSnapshot,
    WorkerState,
    parse_snapshot,
    snapshot_document,
)
from catdog_stream.web.recording.history import Slot
from catdog_stream.web.recording.pictures import Shot
from catdog_stream.web.recording.recorder import MAX_TEXT, Rejected

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NEWS = PeerSnapshot(
    WorkerState(
        version="0.1.0",
        stack="pets 2",
        classes=["cat", "dog"],
        since=1_700_000_000.5,
        problems=["It waits."],
        partitions=[3],
        lag={3: 17, 4: None},
        shards={"labels": {"3": {"cat": 2}}, "rejections": {}},
        recent=Slot({"cat": 2}, 1, {4: 3}),
        pictures=[Shot("0-1", 1.5, "cat", 0.99, "pets 2", "x", "catdogimage/3/0")],
        rejected={"not_json": Rejected(1.5, "No.", "catdogimage/3/1")},
        facts={"canary": {"stack": "pets 3", "share": 0.1}},
    ),
    {1_700_000_000: Slot({"cat": 2}, 1, {4: 3})},
    {"0-1": b"\xff\xd8"},
)

STATE = snapshot_document(NEWS)["state"]


@asynccontextmanager
async def peer(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get(SHARDS_PATH, handler)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


def hear(handler: Handler) -> PeerSnapshot:
    """Return the snapshot that a worker reads from this peer."""

    async def scenario() -> PeerSnapshot:
        async with peer(handler) as url, aiohttp.ClientSession() as client:
            return await ask(client, url, 20, ("0-1", "0-2"))

    return asyncio.run(scenario())


def answering(body: bytes, status: int = 200) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return handler


def test_what_a_worker_tells_another_one_reads() -> None:
    assert hear(answering(orjson.dumps(snapshot_document(NEWS)))) == NEWS


def test_a_worker_is_asked_for_what_is_not_there_yet() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert dict(request.query) == {"since": "20", "seen": "0-1,0-2"}
        return web.json_response({"labels": {}, "rejections": {}})

    hear(handler)


def test_a_worker_of_the_version_before_tells_its_shards_alone() -> None:
    body = b'{"labels": {"3": {"cat": 2}}, "rejections": {}}'
    shards = {"labels": {"3": {"cat": 2}}, "rejections": {}}
    assert hear(answering(body)).state == WorkerState(shards=shards)


def test_a_worker_whose_tables_are_not_whole_tells_no_counts() -> None:
    snapshot = replace(NEWS, state=replace(NEWS.state, shards=None))
    assert parse_snapshot(snapshot_document(snapshot)).state.shards is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"labels": {}}',
        b'{"labels": [], "rejections": {}}',
        b'{"labels": {"0": 5}, "rejections": {}}',
        b'{"labels": {"0": {"cat": "many"}}, "rejections": {}}',
        b'{"labels": {"0": {"cat": null}}, "rejections": {}}',
    ],
)
def test_a_peer_that_answers_nonsense_has_not_answered(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011, whatever is said of it
        hear(answering(body))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
)


@given(st.sampled_from(sorted(snapshot_document(NEWS)["state"])), anything)
def test_whatever_one_field_is_there_are_news_or_a_value_error(name: str, value: object) -> None:
    document = snapshot_document(NEWS)
    document["state"][name] = value
    try:
        snapshot = parse_snapshot(document)
    except ValueError:
        return
    assert isinstance(snapshot, PeerSnapshot)


@given(anything)
def test_whatever_a_peer_says_it_is_news_or_a_value_error(document: object) -> None:
    try:
        parse_snapshot(document)
    except ValueError:
        return


@pytest.mark.parametrize("number", [-1, 2**49, "9" * 400, float("inf"), None])
def test_a_number_that_cannot_be_is_no_news(number: object) -> None:
    document = snapshot_document(NEWS)
    for place in (
        {"recent": [{"cat": number}, 0, []]},
        {"recent": [{}, number, []]},
        {"recent": [{}, 0, [[3, number]]]},
        {"lag": {"0": number}} if number is not None else {"lag": None},
    ):
        with pytest.raises(ValueError):  # noqa: PT011, whatever is said of it
            parse_snapshot({**document, "state": {**document["state"], **place}})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"labels": {"x" * 301: {}}},
         "labels: each name must be a text of a length of at most 300"),
        ({"labels": {"3": {"cat": -1}}}, "labels[...][...] must be a whole number from 0 to "
         "281474976710656, not {'3': {'cat': -1}}"),
        ({"state": {}}, "state.version is missing"),
        ({"state": {**STATE, "since": "1"}}, "state.since must be a number, not '1'"),
        ({"state": {**STATE, "recent": [{}, 0]}}, "state.recent must be a list of 3, not [{}, 0]"),
        ({"state": {**STATE, "recent": [{}, -1, []]}}, "state.recent[1] must be a whole number "
         "from 0 to 281474976710656, not -1"),
        ({"state": {**STATE, "pictures": [{"id": 7}]}}, "state.pictures[0].id must be a text"),
        ({"thumbnails": {"0-1": "?"}}, "thumbnails[...] must be base64, not {'0-1': '?'}"),
    ],
)  # fmt: skip
def test_the_error_names_field_value_and_what_is_expected(
    change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parse_snapshot({**snapshot_document(NEWS), **change})


def test_long_texts_are_cut() -> None:
    document = snapshot_document(NEWS)
    document["state"] |= {"stack": "x" * 10_000, "problems": ["x" * 10_000] * 9}
    document["state"]["pictures"][0]["stack"] = "x" * 10_000
    state = parse_snapshot(document).state
    assert state.stack == state.pictures[0].stack == "x" * MAX_TEXT
    assert state.problems == ["x" * MAX_TEXT] * 8


def test_facts_that_no_section_could_show_are_left_out() -> None:
    deep: object = 0
    for _ in range(400):
        deep = [deep]
    document = snapshot_document(NEWS)
    document["state"]["facts"] = {"role": "small", "drift": deep, "shadow": "x" * 70_000}
    assert parse_snapshot(document).state.facts == {"role": "small"}


def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_client, "MAX_SNAPSHOT_BYTES", 1000)
    with pytest.raises(ValueError, match="endless"):
        hear(answering(b" " * 100_000))


def test_a_peer_that_is_recovering_has_not_answered() -> None:
    with pytest.raises(ValueError, match="503"):
        hear(answering(b'{"error": "The tables are recovering."}', status=503))


def test_a_peer_that_hangs_up_has_not_answered() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    with pytest.raises(ConnectionError):
        hear(handler)


def test_a_peer_that_is_gone_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "PEER", 0.3)

    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    with pytest.raises((ConnectionError, TimeoutError)):
        hear(never)


def test_a_version_before_states_the_lag_of_its_own_partitions_alone() -> None:
    document = snapshot_document(NEWS)
    del document["state"]["partitions"]
    assert parse_snapshot(document).state.partitions == [3, 4]


SECRET = "of the workers"


@pytest.mark.parametrize("given", [None, "", "x", answer_proof(SECRET, "http://another:6066")])
def test_without_the_proof_nothing_is_believed(given: str | None) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert SECRET not in str(request.headers)
        headers = {} if given is None else {ANSWER_HEADER: given}
        return web.json_response(snapshot_document(NEWS), headers=headers)

    async def scenario() -> None:
        async with peer(answer) as url, aiohttp.ClientSession() as client:
            headers = {"Authorization": f"Bearer {question_token(SECRET, url)}"}
            with pytest.raises(ValueError, match="no proof"):
                await ask(client, url, 0, (), headers, answer_proof(SECRET, url))

    asyncio.run(scenario())


def test_with_the_proof_it_is_believed() -> None:
    async def scenario() -> None:
        proof = ""

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(snapshot_document(NEWS), headers={ANSWER_HEADER: proof})

        async with peer(answer) as url, aiohttp.ClientSession() as client:
            proof = answer_proof(SECRET, url)
            assert await ask(client, url, 0, (), None, proof) == NEWS

    asyncio.run(scenario())
