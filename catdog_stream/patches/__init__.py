"""Patches for faults of third-party libraries, and nothing else.

Each module describes its fault. docs/upstream.md says when a patch may be removed, and a test of
each patch fails then.
"""

from catdog_stream.patches import (
    absent_partitions,
    error_codes,
    group_coordinator,
    header_names,
    oauth_refusal,
    password_rotation,
    refused_batches,
    request_deadlines,
    secret_log,
    session_lifetime,
    topic_creation,
    tracked_topics,
)

__all__ = ["install"]


def install() -> None:
    """Patch the libraries in this process. A second call does nothing.

    Every process, of a worker or a command, calls it first: no import does it.
    """
    for patch in (
        absent_partitions,
        error_codes,
        group_coordinator,
        header_names,
        oauth_refusal,
        password_rotation,
        refused_batches,
        request_deadlines,
        secret_log,
        session_lifetime,
        topic_creation,
        tracked_topics,
    ):
        patch.install()
