"""Every exception that this package raises on purpose.

::

    CatDogError                 a person's mistake or a broken surrounding: one clear sentence
    ├── SettingError            a setting or an option has a value that cannot be used
    ├── StackError              a model stack is missing, damaged or does not fit
    ├── BrokerError             no Kafka broker answers, or it answers something unusable
    ├── UnreadableError         Kafka holds records that no client could read
    ├── InputError              a file or folder given on the command line cannot be used
    ├── UnansweredError         not every request that was sent has been labelled
    ├── AgentError              an agent ended, which it never should
    ├── HungModelError          the model hung too often for this process to go on
    ├── FetchError              no picture can be had by the address that a visitor typed
    ├── TooManyRejectedError    so much is rejected that something else must be wrong
    └── RejectedRequest         one request is bad; carries the reason code for the dead letter

They are click's: the command line prints the sentence and exits with ``exit_code``, without a
traceback, whichever program runs the app (``catdog-stream`` or ``faust``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import click

from catdog_stream.terminal import shown


class CatDogError(click.ClickException):
    """Root of the tree. ``str(error)`` is one sentence for the person at the keyboard."""

    def format_message(self) -> str:
        """Return the sentence as it is printed: it may quote a file name, or a broker."""
        return shown(self.message)


class SettingError(CatDogError):
    """A setting or an option has a value that cannot be used; the sentence names it."""

    exit_code = 2


class StackError(CatDogError):
    """A model stack is missing, damaged, or does not fit its manifest or this engine."""


class Refusal(StrEnum):
    """Kind of a failure of Kafka: whether a further try can help, and what it depends on."""

    PASSING = "passing"
    """A broker is away, slow or about to change: a further try helps."""
    RECORD = "record"
    """The record is refused for good, another one would not be."""
    TOO_LARGE = "too_large"
    """The record is refused for good, for its size."""
    ACCESS = "access"
    """A right is missing: refused until somebody grants the right."""
    CLUSTER = "cluster"
    """Refused until somebody changes the cluster or the settings."""


class BrokerError(CatDogError):
    """No Kafka broker answers at the configured address, or its answer cannot be used.

    ``refusal`` is the kind; ``kafka.explanations`` has the sentences.
    """

    def __init__(self, message: str, refusal: Refusal = Refusal.PASSING) -> None:
        super().__init__(message)
        self.refusal = refusal


class UnreadableError(CatDogError):
    """Kafka holds records that cannot be read: damaged, or compressed in an unknown way."""


class InputError(CatDogError):
    """A file or folder named on the command line is missing or holds nothing usable."""


class UnansweredError(CatDogError):
    """Of the requests that a command sent, some were rejected or not answered in time."""


class AgentError(CatDogError):
    """An agent ended or failed. The worker ends too, to be started anew."""


class HungModelError(CatDogError):
    """The model hung so often that this process has to be replaced."""


class FetchError(CatDogError):
    """No picture can be had by an address; the sentence is fit for a stranger who typed it."""


class TooManyRejectedError(CatDogError):
    """So many requests are rejected that something else must be wrong."""

    exit_code = 3


class Reason(StrEnum):
    """Why a request was rejected: the code in its ``reason`` header, which never changes."""

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
    TOO_LARGE = "too_large"
    """The picture, or the record that holds it, is too large."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """The picture has too many pixels, by its header."""
    NOT_AN_IMAGE = "not_an_image"
    """The data is none of the formats that are read."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """The data is a picture in another format."""
    DAMAGED_IMAGE = "damaged_image"
    """The picture cannot be decoded."""
    TIMEOUT = "timeout"
    """The model did not answer in time."""
    BAD_VERDICT = "bad_verdict"
    """The model's answer is no verdict: NaN, other classes, none at all."""
    ANSWER_REFUSED = "answer_refused"
    """Kafka does not take the answer into its topic."""
    STOPPED_WORKERS = "stopped_workers"
    """Workers died while they processed the request."""
    INTERNAL_ERROR = "internal_error"
    """A fault of the application; its log has the details."""


@dataclass(frozen=True, slots=True)
class ReplayAdvice:
    """Advice whether to replay the requests that were rejected for a reason."""

    can_help: bool
    """``False``: this version rejects the same request for the same reason again, whatever the
    settings and the stack are."""
    cause: str
    """Sentence for people: after which change a replay helps, or why none does."""


def _after(change: str) -> ReplayAdvice:
    return ReplayAdvice(can_help=True, cause=f"A replay can help {change}.")


def _never(cause: str) -> ReplayAdvice:
    return ReplayAdvice(
        can_help=False, cause=f"A replay is rejected again: {cause}. Send a corrected request."
    )


#: Advice for each reason: the page, ``replay`` and the documentation go by this table.
REPLAY_ADVICE: Mapping[Reason, ReplayAdvice] = {
    Reason.NOT_JSON: _never("the value is no JSON"),
    Reason.NOT_AN_OBJECT: _never("the JSON is no object"),
    Reason.BAD_URL: _never("the url is no text"),
    Reason.MISSING_DATA: _never("the request has no picture"),
    Reason.BAD_BASE64: _never("the data is no base64"),
    Reason.TOO_LARGE: _after("once CATDOG_MAX_IMAGE_BYTES is raised"),
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


class RejectedRequest(CatDogError):  # noqa: N818 - a request's fate, not a fault of the program
    """One request cannot be classified. It costs nobody else anything.

    ``reason`` is for machines (the ``reason`` header of ``catdogimage-rejected``), ``detail`` one
    sentence for people.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
