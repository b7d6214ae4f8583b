"""Rejected requests by reason: the count, the latest, and if a replay can help."""

from typing import Any

from catdog_stream.errors import REPLAY_ADVICE
from catdog_stream.web.cluster.view import ClusterView
from catdog_stream.web.page.parts import bar, top
from catdog_stream.web.page.section import Section

__all__ = ["REJECTED"]

MOST = 16
_ADVICE = {reason.value: advice for reason, advice in REPLAY_ADVICE.items()}


def values(view: ClusterView) -> dict[str, Any]:
    """Return one item per reason, the most frequent first."""
    total = view.statistics.rejected
    counts = top(view.statistics.rejections, MOST, of="reason") if total else []
    # A voter's rejections are votes, not records.
    advice = {} if view.here.state.facts.get("voter") else _ADVICE
    return {
        "reasons": [
            (
                *(reason, number, number / total, bar((number / total, "refused"))),
                *(view.rejected.get(reason), advice.get(reason)),
            )
            for reason, number in counts
        ]
    }


REJECTED = Section("rejected", "Rejected requests", values)
