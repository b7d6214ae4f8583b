"""Exceptions that this package raises on purpose.

::

    CatDogError                 a user's mistake or a broken environment: one clear sentence
    ├── SettingError            a setting or an option has a value that cannot be used
    ├── StackError              a model stack is missing, damaged or does not fit
    ├── BrokerError             no Kafka broker answers, or its answer cannot be used
    ├── UnreadableError         Kafka holds records that no client could read
    ├── InputError              a file or folder given on the command line cannot be used
    ├── UnansweredError         not every request that was sent has a label
    ├── AgentError              an agent ended, which must never happen
    ├── HungModelError          the model hung too often for this process to continue
    ├── FetchError              no picture can be fetched from the address in untrusted text
    ├── TooManyRejectedError    too many requests are rejected: something else must be wrong
    └── RejectedRequest         one request is bad; carries the reason code for the dead letter

All are click exceptions: the command line prints the sentence and exits with ``exit_code``, without
a traceback, whichever program runs the app (``catdog-stream`` or ``faust``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import click

from catdog_stream.terminal import shown


class CatDogError(click.ClickException):
    """Base class. ``str(error)`` is one sentence for the user."""

    def format_message(self) -> str:
        """Return the sentence with control characters escaped: it may quote untrusted text."""
        return shown(self.message)


@contextmanager
def exit_with_sentence() -> Iterator[None]:
    """End the process with the sentence and the exit code of a `CatDogError`.

    For code that Faust runs while it imports an app, before any code could catch an error.
    """
    try:
        yield
    except CatDogError as error:
        error.show()
        raise SystemExit(error.exit_code) from None


class SettingError(CatDogError):
    """Setting or option with a value that cannot be used; the sentence names it."""

    exit_code = 2


class StackError(CatDogError):
    """Model stack that is missing, damaged, or does not fit its manifest or this engine."""


class Refusal(StrEnum):
    """Kind of a Kafka failure: states if a retry can help, and on what that depends."""

    PASSING = "passing"
    """A broker is away, slow or about to change: a retry helps."""
    RECORD = "record"
    """The record is refused permanently; another record would not be."""
    TOO_LARGE = "too_large"
    """The record is refused permanently because of its size."""
    ACCESS = "access"
    """A permission is missing: refused until an operator grants the permission."""
    CLUSTER = "cluster"
    """Refused until an operator changes the cluster or the settings."""


class BrokerError(CatDogError):
    """Failure of Kafka: no broker answers at the configured address, or the answer cannot be used.

    ``refusal`` is the kind; ``kafka.explanations`` has the sentences.
    """

    def __init__(self, message: str, refusal: Refusal = Refusal.PASSING) -> None:
        super().__init__(message)
        self.refusal = refusal


class UnreadableError(CatDogError):
    """Records in Kafka that cannot be read: damaged, or with an unknown compression."""


class InputError(CatDogError):
    """File or folder from the command line that is missing or holds nothing usable."""


class UnansweredError(CatDogError):
    """Requests of a command that were rejected or not answered in time."""


class AgentError(CatDogError):
    """Agent that ended or failed. The worker ends too, so that a supervisor restarts it."""


class HungModelError(CatDogError):
    """Model that hung so often that this process must be replaced."""


class TooManyRejectedError(CatDogError):
    """Rate of rejections so high that something else must be wrong."""

    exit_code = 3


class Reason(StrEnum):
    """Code of a rejection in its ``reason`` header; the codes never change."""

    NOT_JSON = "not_json"
    """The value is missing or is not JSON."""
    NOT_AN_OBJECT = "not_an_object"
    """The JSON is not an object."""
    BAD_URL = "bad_url"
    """``url`` is not text."""
    MISSING_DATA = "missing_data"
    """``data`` is absent or empty."""
    BAD_BASE64 = "bad_base64"
    """``data`` is not base64, or not text."""
    BAD_FORMAT = "bad_format"
    """The record does not have the format of requests that the settings name."""
    BAD_REFERENCE = "bad_reference"
    """The reference to the picture cannot be read."""
    REFERENCE_NOT_ALLOWED = "reference_not_allowed"
    """Nothing may be fetched from where the reference points to, or leads to."""
    REFERENCE_NOT_FOUND = "reference_not_found"
    """There is no object or file where the reference points to."""
    REFERENCE_DENIED = "reference_denied"
    """The worker has no permission to read the picture."""
    REFERENCE_TIMEOUT = "reference_timeout"
    """The picture was not fetched in time."""
    REFERENCE_FAILED = "reference_failed"
    """The picture cannot be fetched for another cause."""
    TOO_LARGE = "too_large"
    """The picture, or the record that holds it, is too large."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """The picture has too many pixels, by its header."""
    NOT_AN_IMAGE = "not_an_image"
    """The data is in none of the supported formats."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """The data is a picture in another format."""
    DAMAGED_IMAGE = "damaged_image"
    """The picture cannot be decoded."""
    TIMEOUT = "timeout"
    """The model did not answer in time."""
    BAD_VERDICT = "bad_verdict"
    """The model's answer is not a verdict: NaN, other classes, or empty."""
    ANSWER_REFUSED = "answer_refused"
    """Kafka refuses the answer."""
    STOPPED_WORKERS = "stopped_workers"
    """Workers died while they processed the request."""
    INTERNAL_ERROR = "internal_error"
    """A fault of the application; its log has the details."""


@dataclass(frozen=True, slots=True)
class ReplayAdvice:
    """Advice whether to replay the requests that were rejected for a reason."""

    can_help: bool
    """``False``: this version rejects the same request again for the same reason, with any
    settings and any stack."""
    cause: str
    """Sentence for people: the change after which a replay helps, or why no replay helps."""


def _after(change: str) -> ReplayAdvice:
    return ReplayAdvice(can_help=True, cause=f"A replay can help {change}.")


def _never(cause: str) -> ReplayAdvice:
    return ReplayAdvice(
        can_help=False, cause=f"A replay is rejected again: {cause}. Send a corrected request."
    )


#: Advice for each reason: the page, ``replay`` and the documentation use this table.
REPLAY_ADVICE: Mapping[Reason, ReplayAdvice] = {
    Reason.NOT_JSON: _never("the value is no JSON"),
    Reason.NOT_AN_OBJECT: _never("the JSON is no object"),
    Reason.BAD_URL: _never("the url is no text"),
    Reason.MISSING_DATA: _never("the request has no picture"),
    Reason.BAD_BASE64: _never("the data is no base64"),
    Reason.BAD_FORMAT: _after("once CATDOG_REQUEST_FORMAT is the format of the request"),
    Reason.BAD_REFERENCE: _never("the reference cannot be read"),
    Reason.REFERENCE_NOT_ALLOWED: _after("once CATDOG_FETCH allows what the reference names"),
    Reason.REFERENCE_NOT_FOUND: _after("once the picture is where the reference points to"),
    Reason.REFERENCE_DENIED: _after("once the worker may read the picture"),
    Reason.REFERENCE_TIMEOUT: _after("once the server of the picture is faster"),
    Reason.REFERENCE_FAILED: _after("once the picture can be fetched; the detail has the cause"),
    Reason.TOO_LARGE: _after("if the picture was too large, once CATDOG_MAX_IMAGE_BYTES is raised"),
    Reason.TOO_MANY_PIXELS: _after("once CATDOG_MAX_IMAGE_PIXELS is raised"),
    Reason.NOT_AN_IMAGE: _never("the data is no picture"),
    Reason.UNSUPPORTED_FORMAT: _never("the picture's format is not read"),
    Reason.DAMAGED_IMAGE: _never("the picture is damaged"),
    Reason.TIMEOUT: _after("once the model is faster or has less to do"),
    Reason.BAD_VERDICT: _after("once another stack serves"),
    Reason.ANSWER_REFUSED: _after("once Kafka takes the answers"),
    Reason.STOPPED_WORKERS: _after("once the cause of the workers' deaths is removed"),
    Reason.INTERNAL_ERROR: _after("once the fault in the log is removed"),
}


class RejectedRequest(CatDogError):  # noqa: N818 - a request's result, not a fault of the program
    """Request that cannot be classified. Other requests are not affected.

    ``reason`` is for machines (the ``reason`` header of ``catdogimage-rejected``), ``detail`` is
    one sentence for people. ``url`` is the request's, if it was read.
    """

    def __init__(self, reason: Reason, detail: str, url: str | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.url = url


class FetchError(CatDogError):
    """Address from which no picture can be fetched; an untrusted visitor may see the sentence.

    Args:
        message: the sentence.
        reason: the reason for which a request with the address is rejected.
        passes: ``True``: another attempt may help.
    """

    reason = Reason.REFERENCE_FAILED

    def __init__(self, message: str, reason: Reason | None = None, *, passes: bool = False) -> None:
        super().__init__(message)
        self.reason = reason or self.reason
        self.passes = passes
