"""App with an agent for every way to read a stream; each agent passes on the values that it reads.

Its name is in ``PIPELINE``. Each agent reads the topic ``NAME-KIND`` and writes ``KIND:value`` into
``NAME-out``; none awaits Kafka's confirmation.
"""

import os
from collections.abc import AsyncIterator
from typing import Any

from catdog_stream.pipelines import PipelineApp

NAME = os.environ["PIPELINE"]
KINDS = ("events", "items", "take", "group_by", "sink", "two_at_once", "table")

app = PipelineApp(NAME, datadir=os.environ["APP_DATADIR"])
topics = {kind: app.raw_topic(f"{NAME}-{kind}") for kind in KINDS}
out = app.raw_topic(f"{NAME}-out")
counts = app.Table("counts", default=int, partitions=2)


async def pass_on(kind: str, value: bytes) -> None:
    await out.send(value=kind.encode() + b":" + value)


@app.agent(topics["events"])
async def events(stream: Any) -> None:
    async for event in stream.events():
        await pass_on("events", event.value)


@app.agent(topics["items"])
async def items(stream: Any) -> None:
    async for _key, value in stream.items():
        await pass_on("items", value)


@app.agent(topics["take"])
async def take(stream: Any) -> None:
    async for values in stream.take(10, within=0.05):
        for value in values:
            await pass_on("take", value)


@app.agent(topics["group_by"])
async def group_by(stream: Any) -> None:
    async for value in stream.group_by(lambda value: value, name="value", partitions=2):
        await pass_on("group_by", value)


@app.agent(topics["sink"], sink=[out])
async def sink(stream: Any) -> AsyncIterator[bytes]:
    async for value in stream:
        yield b"sink:" + value


@app.agent(topics["two_at_once"], concurrency=2)
async def two_at_once(stream: Any) -> None:
    async for value in stream:
        await pass_on("two_at_once", value)


@app.agent(topics["table"])
async def table(stream: Any) -> None:
    print("printed by an agent", flush=True)
    async for value in stream:
        counts["all"] += 1
        await pass_on("table", value)


if __name__ == "__main__":
    app.main()
