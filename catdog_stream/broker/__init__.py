"""The embedded broker: a Kafka-compatible server that starts in a blink on one machine.

It is for a first try, for tests and for development. It is not for production: it keeps its
topics in one process's memory, saves them about once a second (so a ``kill -9`` of it loses up to
that much), replicates nothing and listens on the loopback interface only. Guarantees need
Apache Kafka.

=============  ====================================================================
``embedded``   starts and stops the process (`EmbeddedBroker`)
``noida``      everything that is particular to noida-db; another server replaces this file
``child``      what becomes the server: dies with its parent
``protocol``   the few Kafka requests needed here, over a plain socket
``janitor``    takes dead workers out of their consumer group, which noida-db never does
=============  ====================================================================
"""

from catdog_stream.broker.embedded import HOST, EmbeddedBroker
from catdog_stream.broker.janitor import Janitor, client_id
from catdog_stream.broker.protocol import is_ready

__all__ = ["HOST", "EmbeddedBroker", "Janitor", "client_id", "is_ready"]
