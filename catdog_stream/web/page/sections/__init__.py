"""Sections of the page in their order, one file each."""

from collections.abc import Sequence

from catdog_stream.web.page.section import Section
from catdog_stream.web.page.sections.beside import CANARY, SHADOW
from catdog_stream.web.page.sections.drift import DRIFT
from catdog_stream.web.page.sections.labels import LABELS
from catdog_stream.web.page.sections.partitions import PARTITIONS
from catdog_stream.web.page.sections.pictures import PICTURES
from catdog_stream.web.page.sections.rejected import REJECTED
from catdog_stream.web.page.sections.speed import LATENCY, RATE
from catdog_stream.web.page.sections.workers import WORKERS

__all__ = ["SECTIONS"]

SECTIONS: Sequence[Section] = (
    PICTURES,
    LABELS,
    RATE,
    LATENCY,
    REJECTED,
    PARTITIONS,
    CANARY,
    SHADOW,
    DRIFT,
    WORKERS,
)
