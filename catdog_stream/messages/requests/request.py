"""Content of a request, the interface of a format, and the parser with limits for all formats."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from catdog_stream.errors import Reason, RejectedRequest
from catdog_stream.messages.wire import (
    RECORD_OVERHEAD_BYTES,
    ROOMS_PARSED,
    Headers,
    base64_length,
)

__all__ = ["REFERENCES", "Request", "RequestFormat", "RequestParser"]

#: Beginnings of a reference to a picture outside Kafka.
REFERENCES = ("https://", "s3://", "gs://", "az://", "file://")


@dataclass(frozen=True, slots=True)
class Request:
    """Content of a request: an opaque ``url`` and the picture file's bytes.

    Without a picture, its bytes are empty, and ``reference`` states where the picture is.
    """

    url: str | None
    picture: bytes
    #: The request's JSON without the picture, if it has fields outside the contract; a
    #: ``RawObject``, because the label repeats them byte for byte.
    fields: Mapping[str, Any] | None = None
    reference: str | None = None


class RequestFormat(Protocol):
    """Format of the records of the topic of requests. Several threads use it at a time.

    A format of JSON may have ``picture_members``: names of members of the JSON that may hold the
    picture. A rejection that is too large is written without them, and replayed only with one.
    """

    def read(self, value: bytes, headers: Headers) -> Request:
        """Return the content of a record; empty bytes stand for a record without a value.

        Raises:
            RejectedRequest: the record cannot be read; the reason and the detail say why.
            ValueError: the same, with the reason ``bad_format``; the text says why.
        """

    def write(self, picture: bytes, url: str | None) -> tuple[bytes, Headers]:
        """Return value and headers of a record for a picture file, for ``send`` and HTTP."""


@dataclass(frozen=True, slots=True)
class RequestParser:
    """Parser of requests in one format, with pictures up to a size."""

    format: RequestFormat
    #: Largest picture file, in bytes.
    max_image_bytes: int

    @property
    def picture_members(self) -> tuple[str, ...]:
        """Names of the members of a request's JSON that may hold the picture; none if unknown."""
        return tuple(getattr(self.format, "picture_members", ()))

    @property
    def reads_events(self) -> bool:
        """True if requests may be CloudEvents; false for a format of one's own."""
        return getattr(self.format, "reads_events", False)

    def parse(self, value: bytes | None, headers: Headers) -> Request:
        """Read a record.

        Raises:
            RejectedRequest: the record is no request; one reason of the format, ``bad_format``,
                ``missing_data`` or ``too_large``.
        """
        request, most = self._read(value, headers), self.max_image_bytes
        if not request.picture and request.reference is None:
            raise RejectedRequest(Reason.MISSING_DATA, "The request has no picture.")
        if len(request.picture) > most:
            raise RejectedRequest(Reason.TOO_LARGE, f"The picture has more than {most} bytes.")
        return request

    def url(self, value: bytes | None, headers: Headers) -> str | None:
        """Return the url of a request, also of a rejected one; ``None`` if it cannot be read."""
        try:
            return self._read(value, headers).url
        except RejectedRequest as error:
            return error.url
        except Exception:  # noqa: BLE001 - the format may be the user's
            return None

    def has_reference(self, value: bytes | None, headers: Headers) -> bool:
        """Return true if a request without a picture names one by a reference."""
        try:
            return self._read(value, headers).reference is not None
        except Exception:  # noqa: BLE001 - the format may be the user's
            return False

    def _read(self, value: bytes | None, headers: Headers) -> Request:
        most = self.max_image_bytes
        if len(value or b"") > ROOMS_PARSED * (base64_length(most) + RECORD_OVERHEAD_BYTES):
            raise RejectedRequest(
                Reason.TOO_LARGE,
                f"The value has {len(value or b'')} bytes, far more than any picture may need.",
            )
        try:
            return self.format.read(value or b"", headers)
        except ValueError as error:
            detail = f"The record does not have the format of requests: {error}"
            raise RejectedRequest(Reason.BAD_FORMAT, f"{detail.rstrip('.')}.") from error
