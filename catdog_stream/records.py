"""The records of the topics, for the applications of others.

``ImageRequest`` and ``ImageLabel`` are Faust's records, to be the ``value_type`` of a topic::

    labels = app.topic("catdoglabel", value_type=ImageLabel)

An agent of Faust ends at a record that it cannot read, and anybody may write into a topic. This
application and its examples therefore read raw bytes, and parse what they read: `Label`,
`Rejection` and `Source` know no Faust and raise nothing.
"""

import faust

from catdog_stream.answers import Label, Rejection
from catdog_stream.errors import Reason
from catdog_stream.wire import Source

__all__ = ["ImageLabel", "ImageRequest", "Label", "Reason", "Rejection", "Source"]


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
