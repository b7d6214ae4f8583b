"""Tools for tests of custom agents and classifiers: real brokers, real workers, virtual time.

In a ``conftest.py``::

    pytest_plugins = ["catdog_stream.testing.fixtures"]

provides the fixtures ``broker_address``, ``start_worker`` and ``answered``. The extra ``testing``
is required. docs/testing.md has an example of each.
"""

from catdog_stream.testing.answered import Answered, publish_answers
from catdog_stream.testing.brokers import own_broker
from catdog_stream.testing.classifiers import InstantClassifier
from catdog_stream.testing.contract import check_classifier
from catdog_stream.testing.ports import free_ports
from catdog_stream.testing.virtual_time import run_in_virtual_time
from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker

__all__ = [
    "Answered",
    "InstantClassifier",
    "Worker",
    "check_classifier",
    "free_ports",
    "own_broker",
    "publish_answers",
    "run_in_virtual_time",
    "wait_until",
]
