"""Tests of bodies with an unknown content coding, which are refused before they are read."""

import pytest
from multidict import CIMultiDict

from catdog_stream.web.api.guards.codings import content_coding
from catdog_stream.web.api.problems import Problem


def named(*values: str) -> CIMultiDict[str]:
    return CIMultiDict(("Content-Encoding", value) for value in values)


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ((), None),
        (("",), None),
        (("identity",), None),
        (("gzip",), "gzip"),
        ((" GZIP ",), "gzip"),
        (("deflate",), "deflate"),
    ],
)
def test_what_is_unpacked_passes(values: tuple[str, ...], coding: str | None) -> None:
    assert content_coding(named(*values)) == coding


@pytest.mark.parametrize(
    "values",
    [
        ("br",),
        ("zstd",),
        ("compress",),
        ("gzip, gzip",),
        ("gzip", "gzip"),
        ("aws-chunked",),
        ("x",),
    ],
)
def test_another_one_is_415(values: tuple[str, ...]) -> None:
    with pytest.raises(Problem) as caught:
        content_coding(named(*values))
    assert caught.value.status == 415
    assert caught.value.headers == {"Accept-Encoding": "gzip, deflate"}
