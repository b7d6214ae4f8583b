"""Id of an image: the position of its request, ``PARTITION-OFFSET``."""

import re

from catdog_stream.messages.wire import Source
from catdog_stream.web.api.problems import Problem

__all__ = ["PATTERN", "image_id", "source_of"]

PATTERN = "(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,17})"


def image_id(source: Source) -> str:
    """Return the id of the request at ``source``."""
    return f"{source.partition}-{source.offset}"


def source_of(text: str, requests_topic: str) -> Source:
    """Return the position of the request with this id in its topic. Raise ``Problem``."""
    match = re.fullmatch(PATTERN, text)
    if match is None:
        raise Problem(400, "The id of an image is PARTITION-OFFSET, as in 3-17.")
    return Source(requests_topic, int(match[1]), int(match[2]))
