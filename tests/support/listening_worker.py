"""Worker with an additional agent of another application: it copies labels to a topic."""

from catdog_stream.app import app, main, topics

HEARD = "heard"


@app.agent(topics.labels)
async def hear(stream):  # type: ignore[no-untyped-def]
    """Copy each value to the topic."""
    heard = app.topic(HEARD, value_type=bytes, value_serializer="raw")
    async for value in stream:
        await heard.send(value=value)


if __name__ == "__main__":
    main()
