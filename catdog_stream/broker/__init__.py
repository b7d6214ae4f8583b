"""Local Kafka server: Apache Kafka itself, on a machine without Java.

One server, broker and controller in one process, on the loopback interface: for a first try, for
development and for tests. It keeps one replica of each record and authenticates nobody; for
production, run a cluster.

===============  ====================================================================
``jars``         Kafka's jars, downloaded once into the user's cache folder;
                 ``python -m catdog_stream.broker`` only downloads them
``java``         the Java runtime and its command line
``properties``   the server's settings
``server``       formats, starts and stops the server (`LocalKafka`)
``child``        start of the server process, which ends with its parent
``readiness``    check that a broker answers
===============  ====================================================================

Runtime and download are the extra ``catdog-stream[broker]``; nothing else needs them.
"""

from catdog_stream.broker.readiness import is_ready
from catdog_stream.broker.server import HOST, LocalKafka

__all__ = ["HOST", "LocalKafka", "is_ready"]
