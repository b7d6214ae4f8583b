"""Faust application that reports which worker saw a record.

``python -m tests.support.echo_worker`` copies every record of the topic ``ID-in`` to ``ID-out``
with its process id in front: ``b"4711 hello"``. ``ECHO_ID`` and ``ECHO_BROKER`` in the environment
name the application and the cluster; the topics must exist. It has no table, no model and no page:
it shows how a consumer group behaves.
"""

import os

import faust

from catdog_stream.patches import group_coordinator

SESSION_SECONDS = 6.0

group_coordinator.install()

_ID = os.environ["ECHO_ID"]
app = faust.App(
    _ID,
    broker=os.environ["ECHO_BROKER"],
    broker_session_timeout=SESSION_SECONDS,
    broker_heartbeat_interval=1.0,
    broker_rebalance_timeout=10.0,
    broker_request_timeout=90.0,
    broker_commit_interval=0.5,
)
requests = app.topic(f"{_ID}-in", value_type=bytes, value_serializer="raw")
answers = app.topic(f"{_ID}-out", value_type=bytes, value_serializer="raw")


@app.agent(requests)
async def echo(stream: faust.StreamT[bytes]) -> None:
    """Await each answer before the next request, so that a commit covers only answered requests."""
    async for value in stream:
        await (await answers.send(value=b"%d %s" % (os.getpid(), value)))


if __name__ == "__main__":
    app.main()
