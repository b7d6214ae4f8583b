"""The Kafka that comes with the project: Apache Kafka itself, on a machine without Java.

One server, broker and controller in one process, on the loopback interface: for a first try, for
development and for tests. It keeps one copy of each record and asks nobody who they are; for
production, run a cluster.

===============  =================================================================
``jars``         Kafka's program, fetched once into the user's cache folder; run as
                 ``python -m catdog_stream.broker`` the package does just that
``java``         the runtime that it runs on, and how
``properties``   the server's settings
``server``       formats, starts and stops it (`LocalKafka`)
``child``        what becomes the server: dies with its parent
``readiness``    whether a broker answers
===============  =================================================================

Runtime and fetching are the extra ``catdog-stream[broker]``; nothing else needs them.
"""

from catdog_stream.broker.readiness import is_ready
from catdog_stream.broker.server import HOST, LocalKafka

__all__ = ["HOST", "LocalKafka", "is_ready"]
