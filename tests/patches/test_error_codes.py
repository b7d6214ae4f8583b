"""Tests that an error code keeps its name."""

import pytest
from aiokafka import errors
from aiokafka.errors import UnknownError, for_code

from catdog_stream.patches import error_codes

CODES = (81, 87, 88, 89)


def test_aiokafka_knows_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for code in CODES:
        monkeypatch.delitem(errors.kafka_errors, code)
    known = {
        kind.errno
        for kind in errors._iter_subclasses(errors.BrokerResponseError)
        if kind.__module__ == errors.__name__
    }
    assert not known & set(CODES)
    assert for_code(87) is UnknownError


def test_they_have_names() -> None:
    error_codes.install()
    assert [for_code(code).message for code in CODES] == [
        "GROUP_MAX_SIZE_REACHED",
        "INVALID_RECORD",
        "UNSTABLE_OFFSET_COMMIT",
        "THROTTLING_QUOTA_EXCEEDED",
    ]
    assert for_code(89)().retriable
