"""Statistics of the cluster: shards of all workers, each partition counted once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from catdog_stream import deadlines
from catdog_stream.settings import Settings
from catdog_stream.web import statistics
from catdog_stream.web.statistics import SHARDS_PATH, Shards, Statistics, local_shards, summed
from catdog_stream.worker.application import CatDogApp

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def shards(labels: dict[str, dict[str, int]], **rejections: dict[str, int]) -> Shards:
    return {"labels": labels, "rejections": rejections}


def test_the_shards_of_all_workers_add_up() -> None:
    total = summed(
        [
            shards({"0": {"cat": 2, "dog": 1}, "1": {"dog": 5}}),
            shards({"2": {"cat": 1}}, **{"2": {"not_json": 3}}),
        ]
    )
    assert total == Statistics({"cat": 3, "dog": 6}, {"not_json": 3}, asked=2, answered=2)
    assert (total.total, total.rejected) == (9, 3)


def test_a_worker_that_did_not_answer_is_told_apart() -> None:
    total = summed([shards({"0": {"cat": 2}}), None])
    assert (total.total, total.asked, total.answered) == (2, 2, 1)


def test_a_partition_that_two_workers_show_is_counted_once_by_whoever_knows_more() -> None:
    old, new = shards({"0": {"cat": 5}}), shards({"0": {"cat": 5, "dog": 1}})
    assert summed([old, new]).total == summed([new, old]).total == 6


def test_labels_and_rejections_of_one_partition_are_different_things() -> None:
    total = summed([shards({"0": {"cat": 1}}, **{"0": {"not_json": 1}})])
    assert (total.total, total.rejected) == (1, 1)


counts = st.dictionaries(st.sampled_from(["cat", "dog"]), st.integers(0, 9), max_size=2)
worker = st.dictionaries(st.sampled_from("0123"), counts).map(shards)


@given(st.lists(st.none() | worker, max_size=4), st.randoms())
def test_the_order_of_the_answers_does_not_matter(
    answers: list[Shards | None], dice: Random
) -> None:
    shuffled = list(answers)
    dice.shuffle(shuffled)
    total, again = summed(answers), summed(shuffled)
    assert (total.total, total.rejected, total.answered) == (
        again.total,
        again.rejected,
        again.answered,
    )


def test_a_worker_shows_nothing_before_its_tables_are_recovered() -> None:
    assert local_shards(CatDogApp(Settings()), {}) is None


@asynccontextmanager
async def peer(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_get(SHARDS_PATH, handler)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


def ask(handler: Handler) -> Shards | None:
    """What a worker makes of the answer of this peer."""

    async def story() -> Shards | None:
        app = CatDogApp(Settings())
        try:
            async with peer(handler) as url:
                return await statistics._ask(app, url)
        finally:
            await app.http_client.close()

    return asyncio.run(story())


def answering(body: bytes, status: int = 200) -> Handler:
    async def handler(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status)

    return handler


def test_a_peer_that_knows_its_shards_is_believed() -> None:
    body = b'{"labels": {"3": {"cat": 2}}, "rejections": {}}'
    assert ask(answering(body)) == {"labels": {"3": {"cat": 2}}, "rejections": {}}


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
    assert ask(answering(body)) is None


def test_a_peer_that_is_recovering_has_not_answered() -> None:
    assert ask(answering(b'{"error": "The tables are recovering."}', status=503)) is None


def test_a_peer_that_hangs_up_has_not_answered() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    assert ask(handler) is None


def test_a_peer_that_is_gone_has_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "PEER", 0.3)

    async def never(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    assert ask(never) is None
