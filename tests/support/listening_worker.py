"""A worker with one more agent, of somebody else: what it hears of labels it tells in a topic."""

from catdog_stream.app import app, main, topics

HEARD = "heard"


@app.agent(topics.labels)
async def hear(stream):  # type: ignore[no-untyped-def]
    """Pass on what comes."""
    heard = app.topic(HEARD, value_type=bytes, value_serializer="raw")
    async for value in stream:
        await heard.send(value=value)


if __name__ == "__main__":
    main()
