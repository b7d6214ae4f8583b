"""A Faust application that says which worker saw what: ``python -m tests.support.echo_worker``.

It copies every record of the topic ``ID-in`` to ``ID-out`` and puts its process id in front:
``b"4711 hello"``. ``ECHO_ID`` and ``ECHO_BROKER`` in the environment name the application and the
cluster; the topics have to be there. It has no table, no model and no page: it is there to watch a
consumer group at work.
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
    """Awaits each answer before the next request, so that a commit covers answered ones only."""
    async for value in stream:
        await (await answers.send(value=b"%d %s" % (os.getpid(), value)))


if __name__ == "__main__":
    app.main()
