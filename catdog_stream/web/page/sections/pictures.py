"""The latest labelled pictures, as resized for the network."""

from typing import Any

from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import colors
from catdog_stream.web.page.section import Section
from catdog_stream.web.page.text import readable_url

__all__ = ["PICTURES"]


def values(view: ClusterView) -> dict[str, Any]:
    """Return the pictures, latest first; in the browser, each keeps its place until removed."""
    color = colors(view)
    return {
        "shots": [(shot, readable_url(shot.url), color[shot.label]) for shot in view.pictures],
        # The confidence in a class means little for an out-of-distribution picture.
        "unknown": UNKNOWN,
    }


PICTURES = Section("pictures", "Latest pictures", values, wide=True)
