"""Formats of requests besides plain JSON: picture files, CloudEvents, and any of them."""

import uuid
from dataclasses import replace

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.factories import made
from catdog_stream.messages.events import event_headers
from catdog_stream.messages.requests.json_format import (
    JsonFormat,
    parsed,
    picture_in,
    within_budget,
)
from catdog_stream.messages.requests.request import Request, RequestFormat
from catdog_stream.messages.wire import Headers

__all__ = ["REQUEST_FORMATS", "AutoFormat", "CloudEventsFormat", "RawFormat", "format_named"]

#: Formats by name.
REQUEST_FORMATS = ("json", "raw", "cloudevents", "auto")

#: Type of the events that ``send`` and HTTP write.
EVENT_TYPE = "catdog_stream.request"


def _header(headers: Headers, *names: str) -> str | None:
    """Return the text of the first header with one of the names, in any case; ``None`` if none."""
    for name, value in headers:
        if name.lower() in names and value is not None:
            return value.decode("utf-8", "replace")
    return None


class RawFormat:
    """The value is the picture file; a header ``url`` gives the url."""

    def read(self, value: bytes, headers: Headers) -> Request:
        """Return the content of a record."""
        return Request(_header(headers, "url"), value)

    def write(self, picture: bytes, url: str | None) -> tuple[bytes, Headers]:
        """Return value and headers of a record."""
        return picture, () if url is None else (("url", url.encode()),)


class CloudEventsFormat:
    """CloudEvents 1.0 over Kafka in the structured and the binary mode.

    The attribute ``subject`` gives the url. The data is the picture (``data_base64`` or, in the
    binary mode, the value), or a JSON object in the format ``json``. Without data, the attribute
    ``dataref`` is a reference to the picture.

    Args:
        json: format of the data if it is JSON.
    """

    reads_events = True

    def __init__(self, json: JsonFormat) -> None:
        self._json = json
        self.picture_members = (*json.picture_members, "data", "data_base64")

    def read(self, value: bytes, headers: Headers) -> Request:
        """Return the content of a record. Raise ``RejectedRequest`` or ``ValueError``."""
        kind = (_header(headers, "content-type") or "").lower()
        if _header(headers, "ce_specversion") is None or kind.startswith("application/cloudevents"):
            return within_budget(value, self._event)
        subject = _header(headers, "ce_subject")
        reference = _header(headers, "ce_dataref")
        if not value and reference is not None:
            return Request(subject, b"", reference=reference)
        if "json" in kind:
            found = self._json.read(value, headers)
            return replace(found, url=found.url or subject)
        return Request(subject, value)

    def _event(self, value: bytes) -> Request:
        event = parsed(value)
        if "specversion" not in event:
            raise ValueError("a CloudEvent has specversion, in its JSON or as ce_specversion")
        subject = event.get("subject")
        if subject is not None and not isinstance(subject, str):
            raise RejectedRequest(Reason.BAD_URL, "The attribute subject is not text.")
        if isinstance(data := event.get("data"), dict):
            found = self._json.content(data)
            return replace(found, url=found.url or subject)
        if (reference := event.get("dataref")) is not None and not event.get("data_base64"):
            if not isinstance(reference, str):
                raise RejectedRequest(Reason.BAD_REFERENCE, "The attribute dataref is not text.")
            return Request(subject, b"", reference=reference)
        return Request(subject, picture_in(event.get("data_base64"), "data_base64", subject))

    def write(self, picture: bytes, url: str | None) -> tuple[bytes, Headers]:
        """Return a record in the binary mode."""
        kind, id_ = "application/octet-stream", str(uuid.uuid4())
        return picture, event_headers(EVENT_TYPE, id_, url, kind)


class AutoFormat:
    """Each record in its own format, by its headers, else by its first byte.

    Args:
        json: the format of JSON.
    """

    reads_events = True

    def __init__(self, json: JsonFormat) -> None:
        self._json, self._raw, self._events = json, RawFormat(), CloudEventsFormat(json)
        self.picture_members = self._events.picture_members

    def read(self, value: bytes, headers: Headers) -> Request:
        """Return the content of a record. Raise ``RejectedRequest`` or ``ValueError``."""
        kind = (_header(headers, "content-type") or "").lower()
        if _header(headers, "ce_specversion") or kind.startswith("application/cloudevents"):
            return self._events.read(value, headers)
        if kind.startswith("image/") or value.lstrip(b" \t\r\n")[:1] != b"{":
            return self._raw.read(value, headers)
        try:
            return self._json.read(value, headers)
        except RejectedRequest:
            if b'"specversion"' not in value:
                raise
            return self._events.read(value, headers)

    def write(self, picture: bytes, url: str | None) -> tuple[bytes, Headers]:
        """Return a record in JSON, which every reader of requests knows."""
        return self._json.write(picture, url)


def format_named(name: str, json: JsonFormat) -> RequestFormat:
    """Return the format of a name, or an object of the class ``package.module:factory``.

    Args:
        name: one of ``REQUEST_FORMATS``, or the class or function.
        json: the format of JSON.

    Raises:
        SettingError: the class cannot be used.
    """
    match name:
        case "json":
            return json
        case "raw":
            return RawFormat()
        case "cloudevents":
            return CloudEventsFormat(json)
        case "auto":
            return AutoFormat(json)
    own: RequestFormat = made("request format", name, "read", "write")
    return own
