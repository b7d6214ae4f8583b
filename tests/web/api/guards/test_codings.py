"""A body in a content coding that nobody here knows is refused before it is read."""

import pytest

from catdog_stream.web.api.guards.codings import check_coding
from catdog_stream.web.api.problems import Problem


@pytest.mark.parametrize("coding", ["", "identity", "gzip", "GZIP", "deflate"])
def test_what_is_unpacked_passes(coding: str) -> None:
    check_coding({"Content-Encoding": coding})
    check_coding({})


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "aws-chunked", "x"])
def test_another_one_is_415(coding: str) -> None:
    with pytest.raises(Problem) as caught:
        check_coding({"Content-Encoding": coding})
    assert caught.value.status == 415
    assert caught.value.headers == {"Accept-Encoding": "gzip, deflate"}
