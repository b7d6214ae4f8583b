"""Settings of this project, read once from the environment into one frozen object.

Faust's own settings (``WEB_PORT``, ``WEB_BIND``, ``NODE_HOSTNAME``, ``APP_DATADIR``) keep their
names, and Faust reads them. TLS and SASL are in ``security``.
"""

import difflib
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar, get_args

from catdog_stream.errors import SettingError
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.names import Names
from catdog_stream.kafka.security import VARIABLES as SECURITY_VARIABLES
from catdog_stream.kafka.security import Security
from catdog_stream.messages.requests.formats import format_named
from catdog_stream.messages.requests.json_format import JsonFormat
from catdog_stream.messages.requests.request import RequestParser
from catdog_stream.messages.scores import LABEL_TEXT, ScoreLimits, checked_template
from catdog_stream.messages.wire import RECORD_OVERHEAD_BYTES, base64_length
from catdog_stream.models.classes import HEADER_CLASSES
from catdog_stream.models.stacks.loading import Engine
from catdog_stream.models.stacks.manifest import MAX_BATCH
from catdog_stream.models.vote_rules import RULES, Rule
from catdog_stream.settings import values
from catdog_stream.settings.allowed_hosts import AllowedHost, FetchMode
from catdog_stream.settings.allowed_references import AllowedReferences

__all__ = ["Engine", "LogFormat", "RoleName", "Settings"]

RoleName = Literal["all", "voter", "jury"]
ROLES: tuple[RoleName, ...] = ("all", "voter", "jury")
FETCH_MODES: tuple[FetchMode, ...] = ("off", "on", "http")
LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("text", "json")
SWITCH = ("on", "off")

#: Maximum bytes that a label or a rejection adds to its request: the headers.
ANSWER_OVERHEAD_BYTES = 16 * 1024

#: Maximum number of scores in a label.
MAX_HEADERS = 100
MAX_METRIC_LABELS = 1000
#: Kafka's sizes have 32 bits, and the largest size derived from this limit is 2.7 times as large.
MAX_BYTES = 512 * 1024 * 1024
MAX_PIXELS = 1_000_000_000
#: Kafka's replication factor has 16 bits.
MAX_REPLICAS = 32_767

_ADDRESS_WITH_PORT = re.compile(r":[0-9]{1,5}$")

#: Variables of the tests, and those that Kubernetes sets for services named "catdog-...".
_NOT_OURS = re.compile(r"CATDOG_(TEST_.*|(.*_)?SERVICE_(HOST|PORT(_.*)?)|(.*_)?PORT(_[0-9]+_.*)?)")

T = TypeVar("T")


@dataclass(frozen=True)
class Settings:
    """Values of all settings. Build it with :meth:`from_environment`."""

    #: One or more ``kafka://host:port``, separated by ``;``.
    broker: str = "kafka://127.0.0.1:9092"
    #: Directory of the model stack; ``None`` means the stack that the package contains.
    stack: Path | None = None
    #: Directories of the stacks that vote, if several are named; ``stack`` is the first of them.
    voting: tuple[Path, ...] = ()
    #: ``False``: topics are created and extended by others.
    create_topics: bool = True
    #: Format of requests: a name of ``REQUEST_FORMATS``, or ``package.module:factory``.
    request_format: str = "json"
    #: Format of labels: a name of ``LABEL_FORMATS``, or ``package.module:factory``.
    label_format: str = "catdog"
    #: Template of the text of labels.
    label_text: str = LABEL_TEXT
    #: Paths of the fields with the picture and the url in a request's JSON.
    data_field: str = "data"
    url_field: str = "url"
    #: Hosts, buckets and folders of the pictures of requests; ``None``: nothing is fetched.
    fetch: AllowedReferences | None = None
    #: Names of the application's topics and groups.
    names: Names = field(default_factory=Names)
    #: Class or function that returns the classifier, ``package.module:factory``; ``None``: a stack.
    classifier: str | None = None
    #: Rule that combines votes into a verdict: of stacks in this worker, or of a jury's voters.
    vote_rule: Rule = "log_odds"
    #: Folder of stacks, ``NAME/VERSION/``, that a rollout can load; ``None``: no rollouts.
    stacks: Path | None = None
    #: Stack that answers a share of the requests: ``NAME/VERSION`` in ``stacks``, or a directory.
    canary: str | None = None
    #: Share of the requests that the canary answers, 0 to 1.
    canary_share: float = 0.1
    #: Stack that classifies a share of the pictures without answering: ``NAME/VERSION``, or a
    #: directory.
    shadow: str | None = None
    #: Share of the pictures that the shadow classifies, 0 to 1.
    shadow_share: float = 1.0
    #: Folder for pictures on which the shadow and the answer disagree; ``None``: none are kept.
    shadow_folder: Path | None = None
    engine: Engine = "auto"
    #: Execution provider of ONNX Runtime.
    onnx_provider: str = "cpu"
    #: Inference threads.
    threads: int = 1
    #: Pictures in one call of the model; ``None``: the stack decides.
    batch: int | None = None
    #: ``True``: a picture on which the model is unsure is classified in all four orientations.
    turned_copies: bool = False
    #: Maximum seconds that a picture waits for others to share a call of the model.
    batch_wait: float = 0.005
    #: Largest decoded picture file, in bytes. Every Kafka size limit is derived from it.
    max_image_bytes: int = 4 * 1024 * 1024
    #: Largest picture, in pixels (width x height), read from its header before decoding.
    max_image_pixels: int = 25_000_000
    #: Seconds that the model may take for one batch before it counts as hung.
    inference_timeout: float = 10.0
    #: Consecutive rejections allowed; one more stops the worker.
    max_rejected_in_a_row: int = 10_000
    #: Share of the last 1,000 answers that may be rejections, 0 to 1.
    max_rejected_share: float = 1.0
    #: Largest number of classes that have a header each in a label.
    header_classes: int = HEADER_CLASSES
    #: Number of classes in a label if there are more.
    header_scores: int = 5
    #: Number of labels of a stack that each have metrics of their own.
    metric_labels: int = 50
    #: Partitions of the topics that this application creates.
    partitions: int = 8
    #: Replication factor of each topic that this application creates.
    replicas: int = 1
    #: Role of the worker.
    role: RoleName = "all"
    #: A voter's name; ``None``: the name of its stack.
    voter: str | None = None
    #: Voters whose votes a jury waits for.
    voters: tuple[str, ...] = ()
    #: Seconds from the first vote on a request until the jury decides without the others.
    vote_deadline: float = 10.0
    #: Host names under which the web server answers, beside the worker's own.
    web_hosts: tuple[str, ...] = ()
    #: Hosts where the web server may query other workers; empty: neighbours of ``WEB_HOST``.
    web_peers: tuple[AllowedHost, ...] = ()
    #: Secret with which workers authenticate to each other; ``None``: ``web_read_token``.
    web_peer_token: str | None = field(default=None, repr=False)
    #: Mode of fetching pictures by address for visitors.
    web_fetch: FetchMode = "off"
    #: Hosts outside the public internet from which pictures may be fetched.
    web_fetch_allow: tuple[AllowedHost, ...] = ()
    #: Format of the log.
    log_format: LogFormat = "text"
    #: OTLP endpoint for traces, such as ``http://collector:4318``; ``None``: no traces.
    traces: str | None = None
    #: ``True``: pictures may be sent over HTTP.
    web_send: bool = True
    #: Bearer token required to send pictures over HTTP; ``None``: none is required.
    web_send_token: str | None = field(default=None, repr=False)
    #: Bearer token required to read over HTTP; ``None``: none is required.
    web_read_token: str | None = field(default=None, repr=False)
    #: Maximum pictures per second that one client may send; 0: no limit.
    web_rate: float = 20.0
    #: TLS and SASL of the connections to the cluster.
    security: Security = field(default_factory=Security)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the ``CATDOG_*`` variables.

        Raises:
            SettingError: a value cannot be used; the sentence names the variable.
        """
        read = _Reader(environment)
        stacks: tuple[Path, ...] = read("CATDOG_STACK", values.paths, ())
        app = read("CATDOG_APP", values.application, Names().group)
        names = Names.of(app)
        names = replace(
            names,
            requests=read("CATDOG_REQUEST_TOPIC", values.topic, names.requests),
            labels=read("CATDOG_LABEL_TOPIC", values.topic, names.labels),
            rejected=read("CATDOG_REJECTED_TOPIC", values.topic, names.rejected),
            votes=read("CATDOG_VOTE_TOPIC", values.topic, names.votes),
            replayed=read("CATDOG_REPLAYED_TOPIC", values.topic, names.replayed),
            stacks=read("CATDOG_STACK_TOPIC", values.topic, names.stacks),
        )
        if twice := names.repeated:
            raise SettingError(f"The topic {twice} has two tasks: give each setting its own topic.")
        settings = cls(
            names=names,
            request_format=read("CATDOG_REQUEST_FORMAT", values.request_format, cls.request_format),
            label_format=read("CATDOG_LABEL_FORMAT", values.label_format, cls.label_format),
            label_text=read("CATDOG_LABEL_TEXT", checked_template, cls.label_text),
            data_field=read("CATDOG_DATA_FIELD", values.field, cls.data_field),
            url_field=read("CATDOG_URL_FIELD", values.field, cls.url_field),
            fetch=read("CATDOG_FETCH", AllowedReferences.parse, cls.fetch),
            create_topics=read("CATDOG_CREATE_TOPICS", values.one_of(SWITCH), "on") == "on",
            broker=read("CATDOG_BROKER", values.broker, cls.broker),
            stack=stacks[0] if stacks else cls.stack,
            voting=stacks if len(stacks) > 1 else cls.voting,
            classifier=read("CATDOG_CLASSIFIER", values.factory, cls.classifier),
            vote_rule=read("CATDOG_VOTE_RULE", values.one_of(RULES), cls.vote_rule),
            stacks=read("CATDOG_STACKS", values.folder, cls.stacks),
            canary=read("CATDOG_CANARY", str, cls.canary),
            canary_share=read("CATDOG_CANARY_SHARE", values.share, cls.canary_share),
            shadow=read("CATDOG_SHADOW", str, cls.shadow),
            shadow_share=read("CATDOG_SHADOW_SHARE", values.share, cls.shadow_share),
            shadow_folder=read("CATDOG_SHADOW_FOLDER", values.folder, cls.shadow_folder),
            engine=read("CATDOG_ENGINE", values.one_of(get_args(Engine)), cls.engine),
            onnx_provider=read("CATDOG_ONNX_PROVIDER", str, cls.onnx_provider),
            threads=read("CATDOG_THREADS", values.whole(1024), os.cpu_count() or 1),
            batch=read("CATDOG_BATCH", values.whole(MAX_BATCH), cls.batch),
            turned_copies=read("CATDOG_TURNED_COPIES", values.one_of(SWITCH), "off") == "on",
            batch_wait=read("CATDOG_BATCH_WAIT", values.milliseconds, cls.batch_wait),
            max_image_bytes=read(
                "CATDOG_MAX_IMAGE_BYTES", values.whole(MAX_BYTES), cls.max_image_bytes
            ),
            max_image_pixels=read(
                "CATDOG_MAX_IMAGE_PIXELS", values.whole(MAX_PIXELS), cls.max_image_pixels
            ),
            inference_timeout=read(
                "CATDOG_INFERENCE_TIMEOUT", values.seconds, cls.inference_timeout
            ),
            max_rejected_in_a_row=read(
                "CATDOG_MAX_REJECTED_IN_A_ROW",
                values.whole(1_000_000_000),
                cls.max_rejected_in_a_row,
            ),
            max_rejected_share=read(
                "CATDOG_MAX_REJECTED_SHARE", values.share, cls.max_rejected_share
            ),
            header_classes=read(
                "CATDOG_HEADER_CLASSES", values.whole(MAX_HEADERS), cls.header_classes
            ),
            header_scores=read(
                "CATDOG_HEADER_SCORES", values.whole(MAX_HEADERS), cls.header_scores
            ),
            metric_labels=read(
                "CATDOG_METRIC_LABELS", values.whole(MAX_METRIC_LABELS), cls.metric_labels
            ),
            partitions=read("CATDOG_PARTITIONS", values.whole(10_000), cls.partitions),
            replicas=read("CATDOG_REPLICAS", values.whole(MAX_REPLICAS), cls.replicas),
            role=read("CATDOG_ROLE", values.one_of(ROLES), cls.role),
            voter=read("CATDOG_VOTER", values.voter, cls.voter),
            voters=read("CATDOG_VOTERS", values.voters, cls.voters),
            vote_deadline=read("CATDOG_VOTE_DEADLINE", values.deadline, cls.vote_deadline),
            web_hosts=read("CATDOG_WEB_HOSTS", values.hosts, cls.web_hosts),
            web_peers=read("CATDOG_WEB_PEERS", values.allowed_hosts, cls.web_peers),
            web_peer_token=read.secret("CATDOG_WEB_PEER_TOKEN", values.token),
            web_fetch=read("CATDOG_WEB_FETCH", values.one_of(FETCH_MODES), cls.web_fetch),
            web_fetch_allow=read(
                "CATDOG_WEB_FETCH_ALLOW", values.allowed_hosts, cls.web_fetch_allow
            ),
            log_format=read("CATDOG_LOG_FORMAT", values.one_of(LOG_FORMATS), cls.log_format),
            traces=read("CATDOG_TRACES", values.http, cls.traces),
            web_send=read("CATDOG_WEB_SEND", values.one_of(SWITCH), "on") == "on",
            web_send_token=read.secret("CATDOG_WEB_SEND_TOKEN", values.token),
            web_read_token=read.secret("CATDOG_WEB_READ_TOKEN", values.token),
            web_rate=read("CATDOG_WEB_RATE", values.rate, cls.web_rate),
            security=Security.from_environment(environment),
        )
        _refuse_unknown(environment, read.names)
        data, url = settings.data_field.split("."), settings.url_field.split(".")
        if all(one == other for one, other in zip(data, url, strict=False)):
            raise SettingError(
                "CATDOG_DATA_FIELD and CATDOG_URL_FIELD name one field, or one within the other: "
                "name two fields."
            )
        if settings.role == "jury" and not settings.voters:
            raise SettingError("CATDOG_ROLE=jury needs CATDOG_VOTERS: whose votes it waits for.")
        if settings.classifier is not None and stacks:
            raise SettingError("CATDOG_CLASSIFIER and CATDOG_STACK exclude each other: set one.")
        return settings

    @cached_property
    def cluster(self) -> ClusterConfig:
        """Configuration of the cluster for its clients."""
        parts = [part.removeprefix("kafka://") for part in self.broker.split(";")]
        return ClusterConfig(
            tuple(part if _ADDRESS_WITH_PORT.search(part) else f"{part}:9092" for part in parts),
            security=self.security,
            max_request_bytes=self.max_request_bytes,
            max_answer_bytes=self.max_answer_bytes,
            partitions=self.partitions,
            replicas=self.replicas,
            create_topics=self.create_topics,
            names=self.names,
        )

    @cached_property
    def request_parser(self) -> RequestParser:
        """Parser of requests.

        Raises:
            SettingError: the format that the settings name cannot be used.
        """
        own = format_named(self.request_format, JsonFormat(self.data_field, self.url_field))
        return RequestParser(own, self.max_image_bytes)

    @property
    def score_limits(self) -> ScoreLimits:
        """Limits of the scores in a label, and its text."""
        return ScoreLimits(self.header_classes, self.header_scores, self.label_text)

    @property
    def peer_secret(self) -> str | None:
        """Secret that the workers share; ``None`` if there is none."""
        return self.web_peer_token or self.web_read_token

    @property
    def max_request_bytes(self) -> int:
        """Bytes of the largest record of ``catdogimage``: the largest picture and overhead."""
        return base64_length(self.max_image_bytes) + RECORD_OVERHEAD_BYTES

    @property
    def max_answer_bytes(self) -> int:
        """Largest record of ``catdoglabel`` and ``catdogimage-rejected``, in bytes."""
        return self.max_request_bytes + ANSWER_OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class _Reader:
    environment: Mapping[str, str]
    #: Variables that were read.
    names: set[str] = field(default_factory=set)

    def __call__(self, name: str, parse: Callable[[str], T], default: T) -> T:
        self.names.add(name)
        text = self.environment.get(name, "").strip()
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            raise SettingError(f"{name}={text!r} cannot be used: {error}.") from error

    def secret(self, name: str, parse: Callable[[str], str]) -> str | None:
        """Read a secret, which no error message may quote."""
        self.names.add(name)
        text = self.environment.get(name, "").strip()
        try:
            return parse(text) if text else None
        except ValueError as error:
            raise SettingError(f"{name} cannot be used: {error}.") from None


def _refuse_unknown(environment: Mapping[str, str], read: Collection[str]) -> None:
    """Raise ``SettingError`` for an unknown variable: a typo would leave the default in force."""
    known = {*read, "CATDOG_KAFKA_JARS", *SECURITY_VARIABLES}
    for name in sorted(environment):
        if name.startswith("CATDOG_") and name not in known and not _NOT_OURS.fullmatch(name):
            bare = {variable.removeprefix("CATDOG_"): variable for variable in known}
            near = difflib.get_close_matches(name.removeprefix("CATDOG_"), sorted(bare), 1)
            hint = f": is {bare[near[0]]} meant?" if near else "."
            raise SettingError(f"There is no setting {name}{hint}")
