"""Explanations of Kafka's errors: one sentence for a person, with user, resource and right.

One table holds them, so that a command, a worker's log and ``/readyz`` give the same cause for the
same error, and no message reports silence where Kafka has answered. The table also gives the kind
of an error: it concerns the record alone, or lasts until an operator changes something.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from catdog_stream.errors import BrokerError, Refusal
from catdog_stream.kafka.config import ClusterConfig
from catdog_stream.kafka.tokens import TokenError

__all__ = ["IDEMPOTENT_WRITE", "Access", "broker_error", "explained"]

_VERBS = {
    "Read": "read",
    "Write": "write to",
    "Create": "create",
    "Describe": "describe",
    "Alter": "alter",
    "IdempotentWrite": "write with idempotence to",
}
#: Error codes: https://kafka.apache.org/protocol#protocol_error_codes.
GROUP_MAX_SIZE_REACHED, INVALID_RECORD = 81, 87
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True)
class Access:
    """An operation on a resource, as Kafka's access control lists name both.

    Args:
        right: ``Read``, ``Write``, ``Create``, ``Describe``, ``Alter`` or ``IdempotentWrite``.
        kind: ``topic``, ``group``, ``cluster`` or ``transactional id``.
        names: names of the resources; empty for the cluster, or if they are unknown.
    """

    right: str
    kind: str
    names: tuple[str, ...] = ()

    @classmethod
    def topic(cls, right: str, *names: str) -> "Access":
        """Return an operation that needs ``right`` on topics."""
        return cls(right, "topic", names)

    @classmethod
    def group(cls, right: str, *names: str) -> "Access":
        """Return an operation that needs ``right`` on consumer groups."""
        return cls(right, "group", names)

    @property
    def resource(self) -> str:
        """The resource as text for messages."""
        if not self.names:
            return "the cluster" if self.kind == "cluster" else f"a {self.kind}"
        *first, last = self.names
        names = f"{', '.join(first)} and {last}" if first else last
        return f"the {self.kind}{'s' if first else ''} {names}"

    @property
    def action(self) -> str:
        """The operation as text for messages: ``write to the topic catdoglabel``."""
        return f"{_VERBS.get(self.right, 'use')} {self.resource}"


#: What an idempotent producer needs: this right, or ``Write`` on any topic.
IDEMPOTENT_WRITE = Access("IdempotentWrite", "cluster")

_NOT_ALLOWED = "Kafka does not let {user} {action}: grant {right} on {resource}."
#: A client creates a topic only after it has seen that the topic is missing.
_NO_TOPIC = (
    "There is no {names}, and Kafka does not let {user} create it: create it, or grant Create on "
    "{resource}."
)
_SLOW = "Kafka at {where} did not answer in time: this was to {action}."
_BROKEN = "The connection to Kafka at {where} broke: this was to {action}."
_NO_COORDINATOR = "No broker coordinates {resource} now: this was to {action}."
_NO_LEADER = "No broker leads a partition of {resource} now: this was to {action}."
_TOO_LARGE = (
    "The record is too large for {resource}: max.message.bytes of the topic limits it, and "
    "CATDOG_MAX_IMAGE_BYTES here."
)
_FEW_COPIES = (
    "Too few brokers hold a copy of {resource}, which asks for min.insync.replicas of them: start "
    "the brokers that are missing."
)
_TOO_OLD = "Kafka at {where} is too old, or too new, to {action} as this program does."
_MISSING = "Kafka has no {names}, or does not let {user} describe it: create it, or grant Describe."

#: Error class to its kind and sentence. The entry of a base class covers subclasses without one.
#: Codes stand for the errors that aiokafka has no class for.
_TABLE: Mapping[object, tuple[Refusal, str]] = MappingProxyType(
    {
        kafka.TopicAuthorizationFailedError: (Refusal.ACCESS, _NOT_ALLOWED),
        kafka.GroupAuthorizationFailedError: (Refusal.ACCESS, _NOT_ALLOWED),
        kafka.ClusterAuthorizationFailedError: (Refusal.ACCESS, _NOT_ALLOWED),
        kafka.TransactionalIdAuthorizationFailed: (Refusal.ACCESS, _NOT_ALLOWED),
        kafka.MessageSizeTooLargeError: (Refusal.TOO_LARGE, _TOO_LARGE),
        kafka.RecordListTooLargeError: (Refusal.TOO_LARGE, _TOO_LARGE),
        kafka.InvalidTimestampError: (
            Refusal.RECORD,
            "The record's time is refused by {resource}: its message.timestamp.before.max.ms and "
            "message.timestamp.after.max.ms say which times it takes.",
        ),
        INVALID_RECORD: (
            Refusal.RECORD,
            "The record is refused by {resource} as invalid: where a topic is compacted, each "
            "record needs a key.",
        ),
        kafka.UnknownTopicOrPartitionError: (Refusal.CLUSTER, _MISSING),
        kafka.InvalidTopicError: (
            Refusal.CLUSTER,
            "Kafka lets nobody {action}: the name is not valid, or Kafka uses it itself.",
        ),
        kafka.InvalidReplicationFactorError: (
            Refusal.CLUSTER,
            "Kafka cannot {action} with {replicas} copies: CATDOG_REPLICAS must not be larger than "
            "the number of brokers.",
        ),
        kafka.PolicyViolationError: (
            Refusal.CLUSTER,
            "A policy of the cluster forbids {user} to {action}: ask whoever runs the cluster.",
        ),
        kafka.InconsistentGroupProtocolError: (
            Refusal.CLUSTER,
            "Consumers of another application are members of {resource}: stop them, or give them "
            "a group of their own.",
        ),
        GROUP_MAX_SIZE_REACHED: (
            Refusal.CLUSTER,
            "The {names} has as many members as the brokers allow: see group.max.size.",
        ),
        kafka.OffsetMetadataTooLargeError: (
            Refusal.CLUSTER,
            "The brokers take no offset with as much metadata as the counts need: raise their "
            "offset.metadata.max.bytes.",
        ),
        kafka.UnsupportedVersionError: (Refusal.CLUSTER, _TOO_OLD),
        kafka.IncompatibleBrokerVersion: (Refusal.CLUSTER, _TOO_OLD),
        kafka.UnrecognizedBrokerVersion: (Refusal.CLUSTER, _TOO_OLD),
        kafka.SaslAuthenticationFailed: (
            Refusal.CLUSTER,
            "Kafka at {where} refuses {refused}.",
        ),
        kafka.UnsupportedSaslMechanismError: (
            Refusal.CLUSTER,
            "Kafka at {where} does not offer the mechanism in CATDOG_SASL_MECHANISM.",
        ),
        kafka.NotEnoughReplicasError: (Refusal.PASSING, _FEW_COPIES),
        kafka.NotEnoughReplicasAfterAppendError: (Refusal.PASSING, _FEW_COPIES),
        kafka.GroupCoordinatorNotAvailableError: (Refusal.PASSING, _NO_COORDINATOR),
        kafka.NotCoordinatorForGroupError: (Refusal.PASSING, _NO_COORDINATOR),
        kafka.GroupLoadInProgressError: (Refusal.PASSING, _NO_COORDINATOR),
        kafka.LeaderNotAvailableError: (Refusal.PASSING, _NO_LEADER),
        kafka.NotLeaderForPartitionError: (Refusal.PASSING, _NO_LEADER),
        kafka.RequestTimedOutError: (Refusal.PASSING, _SLOW),
        kafka.KafkaTimeoutError: (Refusal.PASSING, _SLOW),
        kafka.KafkaConnectionError: (Refusal.PASSING, _BROKEN),
        kafka.NodeNotReadyError: (Refusal.PASSING, _BROKEN),
        kafka.NoBrokersAvailable: (Refusal.PASSING, _BROKEN),
    }
)


def broker_error(
    error: BaseException,
    cluster: ClusterConfig,
    access: Access | None = None,
    *,
    address: str | None = None,
) -> BrokerError:
    """Return a ``BrokerError`` with the sentence and the kind that the table has for ``error``.

    Args:
        error: error of aiokafka, or a ``TimeoutError`` or ``OSError`` of a request to a broker.
        cluster: the cluster that was asked, with its credentials.
        access: the operation that failed; if it is unknown, the error itself must name it.
        address: ``host:port`` of the broker, if the message concerns one broker.
    """
    error = _innermost(error)
    if isinstance(error, TokenError):
        return BrokerError(error.sentence, Refusal.PASSING if error.passing else Refusal.CLUSTER)
    access = _access(error, access)
    refusal, sentence = _entry(error)
    if isinstance(error, kafka.TopicAuthorizationFailedError) and access.right == "Create":
        sentence = _NO_TOPIC
    text = sentence.format(
        user=cluster.security.user,
        action=access.action,
        resource=access.resource,
        names=access.resource.removeprefix("the ").removeprefix("a "),
        right=access.right,
        replicas=cluster.replicas,
        where=address or cluster.where,
        refused=cluster.security.refused,
        name=_called(error),
    )
    return BrokerError(text, refusal)


@contextmanager
def explained(cluster: ClusterConfig, access: Access | None = None) -> Iterator[None]:
    """Raise ``BrokerError`` with the table's sentence for an error of Kafka within the block."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise broker_error(error, cluster, access) from error


def _entry(error: BaseException) -> tuple[Refusal, str]:
    if isinstance(error, KafkaError):
        for key in (getattr(error, "errno", None), *type(error).__mro__):
            if (entry := _TABLE.get(key)) is not None:
                return entry
        refusal = Refusal.PASSING if error.retriable else Refusal.CLUSTER
        return refusal, "Kafka refuses to {action}: {name}."
    return Refusal.PASSING, _SLOW if isinstance(error, TimeoutError) else _BROKEN


def _innermost(error: BaseException) -> BaseException:
    """Return the error that aiokafka has wrapped: a plain ``KafkaError`` says nothing."""
    while type(error) is KafkaError and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return error


def _access(error: BaseException, tried: Access | None) -> Access:
    """Return the operation that was refused: an error may name another one than ``tried``."""
    match error:
        case kafka.TopicAuthorizationFailedError() | kafka.UnknownTopicOrPartitionError():
            kind, right = "topic", "Read or Write"
        case kafka.GroupAuthorizationFailedError():
            kind, right = "group", "Read"
        case kafka.ClusterAuthorizationFailedError():
            return tried if tried is not None and tried.kind == "cluster" else IDEMPOTENT_WRITE
        case kafka.TransactionalIdAuthorizationFailed():
            kind, right = "transactional id", "Write"
        case _:
            return tried or Access("Describe", "cluster")
    names = _named(error)
    if tried is None or tried.kind != kind:
        return Access(right, kind, names)
    return replace(tried, names=names) if names else tried


def _named(error: BaseException) -> tuple[str, ...]:
    """Return the resources that aiokafka puts into the error: a name, or a set of names."""
    (argument,) = error.args if len(error.args) == 1 else (None,)
    names = (argument,) if isinstance(argument, str) else argument
    if isinstance(names, (set, frozenset, list, tuple)):
        found = tuple(sorted(name for name in names if isinstance(name, str)))
        return found if all(_NAME.fullmatch(name) for name in found) else ()
    return ()


def _called(error: BaseException) -> str:
    """Return Kafka's name and description of an error that the table does not have."""
    if isinstance(error, kafka.BrokerResponseError):
        meaning = " ".join(error.description.split()).rstrip(".")
        return f"{error.message} ({meaning})" if meaning else error.message
    return str(error).rstrip(".") or type(error).__name__
