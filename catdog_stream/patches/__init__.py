"""Faults of other people's libraries, and nothing else.

Each module says what is wrong; docs/upstream.md says when it may go, and a test of each fails then.
"""

from catdog_stream.patches import (
    absent_partitions,
    error_codes,
    group_coordinator,
    header_names,
    password_rotation,
    refused_batches,
    request_deadlines,
    secret_log,
    topic_creation,
    tracked_topics,
)

__all__ = ["install"]


def install() -> None:
    """Mend this process. A second time does nothing.

    A process begins with it, a worker's as a command's: nothing that is imported does it.
    """
    for patch in (
        absent_partitions,
        error_codes,
        group_coordinator,
        header_names,
        password_rotation,
        refused_batches,
        request_deadlines,
        secret_log,
        topic_creation,
        tracked_topics,
    ):
        patch.install()
