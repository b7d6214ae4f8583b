"""Public types of the records in the topics, for other applications.

``ImageRequest``, ``ImageLabel`` and ``ImageVote`` are Faust records, for the ``value_type`` of a
topic::

    labels = app.topic("catdoglabel", value_type=ImageLabel)

A Faust agent ends at a record that it cannot decode, and untrusted clients may write to a topic.
This application and its examples therefore read raw bytes and parse them: `Label`, `Rejection`,
`Vote` and `Source` do not depend on Faust and raise nothing.
"""

from typing import Any

import faust

from catdog_stream.errors import Reason
from catdog_stream.messages.answers import Label, Rejection
from catdog_stream.messages.votes import Vote
from catdog_stream.messages.wire import Source

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
    """Value of ``catdogimage``."""

    url: str | None = None
    """Opaque text: the label repeats it. A reference to the picture, if the settings allow it."""
    data: str | None = None
    """Base64 of a PNG, JPEG, WebP, GIF or BMP picture."""
    label: str | None = None
    """Always ``None`` in a request."""


class ImageLabel(faust.Record, serializer="json", include_metadata=False):
    """Value of ``catdoglabel``. Probabilities, stack and source are headers: see `Label`."""

    label: str
    """``Probabilities: cat 99.9% dog 0.1%``."""
    url: str | None = None
    """The request's ``url``, unchanged."""
    data: str | None = None
    """Always ``None`` in a label."""


class ImageVote(faust.Record, serializer="json", include_metadata=False):
    """Value of ``catdogvote``: a voter's answer to a request. ``Vote.parse`` validates it."""

    voter: str
    source: str
    """The request: ``topic/partition/offset``."""
    weight: float = 1.0
    stack: str | None = None
    """``None`` if the voter rejects the request; then ``scores`` is ``None`` as well."""
    scores: dict[str, float] | None = None
    """Class to its probability, 0 to 1."""
    familiarity: float | None = None
    unknown: bool = False
    reason: str | None = None
    """Reason code if the voter rejects the request."""
    detail: str | None = None
    key: str | None = None
    """Base64 of the request's key; the values of ``headers`` are base64, too."""
    url: str | None = None
    fields: dict[str, Any] | None = None
    headers: list[list[str | None]] = []  # noqa: RUF012 - Faust copies it
    timestamp_ms: int | None = None
