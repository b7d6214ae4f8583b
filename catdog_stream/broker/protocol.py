"""The few Kafka requests that tending a broker needs, over a plain socket.

Only version 0 of each request, which every broker answers: `ApiVersions` to see that one is there,
`ListGroups`, `DescribeGroups` and `LeaveGroup` to see and evict members of consumer groups.
The layouts are those of https://kafka.apache.org/protocol.html.

All of them raise `BrokerError` when no broker answers, except `is_ready`.
"""

import socket
import struct
from dataclasses import dataclass

from catdog_stream.errors import BrokerError

_LEAVE_GROUP, _DESCRIBE_GROUPS, _LIST_GROUPS, _API_VERSIONS = 13, 15, 16, 18
_CORRELATION_ID = 1
_LARGEST_ANSWER = 64 * 1024 * 1024
_NO_ERROR = 0


@dataclass(frozen=True)
class Member:
    """One member of a consumer group, as the broker knows it."""

    member_id: str
    client_id: str
    client_host: str


def is_ready(host: str, port: int, timeout: float = 1.0) -> bool:
    """Whether a Kafka broker answers an `ApiVersions` request there within `timeout` seconds.

    An open port proves nothing: a broker that is starting, or any other program, may hold it.
    """
    try:
        answer = _request(host, port, _API_VERSIONS, b"", timeout)
        return answer.int16() == _NO_ERROR
    except BrokerError:
        return False


def list_groups(host: str, port: int, timeout: float = 5.0) -> list[str]:
    """The names of the consumer groups that the broker knows, those without members too."""
    answer = _request(host, port, _LIST_GROUPS, b"", timeout)
    _check(answer.int16(), "ListGroups")
    groups = []
    for _ in range(answer.int32()):
        groups.append(answer.string())
        answer.string()  # protocol type
    return groups


def group_members(host: str, port: int, group: str, timeout: float = 5.0) -> list[Member]:
    """The members of a consumer group; none if there is no such group."""
    body = struct.pack(">i", 1) + _string(group)
    answer = _request(host, port, _DESCRIBE_GROUPS, body, timeout)
    members = []
    for _ in range(answer.int32()):
        _check(answer.int16(), "DescribeGroups")
        for _ in ("group", "state", "protocol type", "protocol"):
            answer.string()
        for _ in range(answer.int32()):
            members.append(Member(answer.string(), answer.string(), answer.string()))
            answer.blob()  # metadata
            answer.blob()  # assignment
    return members


def leave_group(host: str, port: int, group: str, member_id: str, timeout: float = 5.0) -> bool:
    """Takes a member out of its group in its name. False if the broker did not know it."""
    answer = _request(host, port, _LEAVE_GROUP, _string(group) + _string(member_id), timeout)
    return answer.int16() == _NO_ERROR


def evict_members(host: str, port: int, group: str, client_id: str | None = None) -> list[str]:
    """Evicts the members of a group, or only those of one client, and returns their member ids.

    A group that does not exist has none. An evicted member that lives after all joins again.
    """
    return [
        member.member_id
        for member in group_members(host, port, group)
        if client_id in (None, member.client_id)
        and leave_group(host, port, group, member.member_id)
    ]


class _Answer:
    """Reads the fields of a response one after the other."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def int16(self) -> int:
        return int.from_bytes(self._take(2), "big", signed=True)

    def int32(self) -> int:
        return int.from_bytes(self._take(4), "big", signed=True)

    def string(self) -> str:
        """A nullable string; null reads as empty."""
        return self._take(max(self.int16(), 0)).decode()

    def blob(self) -> bytes:
        return self._take(max(self.int32(), 0))

    def _take(self, count: int) -> bytes:
        piece = self._body[self._at : self._at + count]
        if len(piece) < count:
            raise BrokerError("the broker's answer ends too early: is it a Kafka broker?")
        self._at += count
        return piece


def _request(host: str, port: int, api_key: int, body: bytes, timeout: float) -> _Answer:
    header = struct.pack(">hhi", api_key, 0, _CORRELATION_ID) + _string("catdog-stream-tending")
    message = struct.pack(">i", len(header) + len(body)) + header + body
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(message)
            with connection.makefile("rb") as stream:
                size = int.from_bytes(stream.read(4), "big", signed=True)
                if not 4 <= size <= _LARGEST_ANSWER:
                    raise BrokerError(f"what answers at {host}:{port} is not a Kafka broker")
                answer = _Answer(stream.read(size))
    except OSError as error:
        raise BrokerError(f"no Kafka broker answers at {host}:{port}: {error}") from error
    if answer.int32() != _CORRELATION_ID:
        raise BrokerError(f"what answers at {host}:{port} is not a Kafka broker")
    return answer


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">h", len(encoded)) + encoded


def _check(error_code: int, request: str) -> None:
    if error_code != _NO_ERROR:
        raise BrokerError(f"the broker refused {request} with Kafka's error code {error_code}")
