"""The records of the topics, for the applications of others.

``ImageRequest``, ``ImageLabel`` and ``ImageVote`` are Faust's records, to be the ``value_type`` of
a topic::

    labels = app.topic("catdoglabel", value_type=ImageLabel)

An agent of Faust ends at a record that it cannot read, and anybody may write into a topic. This
application and its examples therefore read raw bytes, and parse what they read: `Label`,
`Rejection`, `Vote` and `Source` know no Faust and raise nothing.
"""

from typing import Any

import faust

from catdog_stream.answers import Label, Rejection
from catdog_stream.errors import Reason
from catdog_stream.votes import Vote
from catdog_stream.wire import Source

__all__ = [
    "ImageLabel",
    "ImageRequest",
    "ImageVote",
    "Label",
    "Reason",
    "Rejection",
    "Source",
    "Vote",
]


class ImageRequest(faust.Record, serializer="json", include_metadata=False):
    """A value of ``catdogimage``."""

    url: str | None = None
    """Opaque: it comes back in the label, and is never fetched."""
    data: str | None = None
    """Base64 of a PNG, JPEG, WebP, GIF or BMP."""
    label: str | None = None
    """Nothing, in a request."""


class ImageLabel(faust.Record, serializer="json", include_metadata=False):
    """A value of ``catdoglabel``. Chances, stack and source are in the headers: see `Label`."""

    label: str
    """``Probabilities: cat 99.9% dog 0.1%``."""
    url: str | None = None
    """As the request had it."""
    data: str | None = None
    """Nothing, in a label."""


class ImageVote(faust.Record, serializer="json", include_metadata=False):
    """A value of ``catdogvote``: what a voter says of a request. ``Vote.parse`` checks it."""

    voter: str
    source: str
    """The request: ``topic/partition/offset``."""
    weight: float = 1.0
    stack: str | None = None
    """``None`` where the request is rejected, as are the chances."""
    scores: dict[str, float] | None = None
    """Class to its chance."""
    familiarity: float | None = None
    unknown: bool = False
    reason: str | None = None
    """Why it is rejected, if it is."""
    detail: str | None = None
    key: str | None = None
    """Base64 of the request's key, as are the values of its headers."""
    url: str | None = None
    fields: dict[str, Any] | None = None
    headers: list[list[str | None]] = []  # noqa: RUF012 - Faust copies it
    timestamp_ms: int | None = None
