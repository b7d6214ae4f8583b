"""Facts of a worker about its models, beside its answers, for sections of the page, as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.models.verdict import UNKNOWN
from catdog_stream.pipeline.drift import Drift, Finding
from catdog_stream.pipeline.shadow.watching import Shadow
from catdog_stream.settings import Settings
from catdog_stream.worker.aggregation import Aggregation
from catdog_stream.worker.inference import Inference
from catdog_stream.worker.roles import Role
from catdog_stream.worker.rollout import Rollout

__all__ = ["WorkerFacts"]

#: Maximum number of verdicts that are all compared on the page; of more, the number of those shown.
MOST_NAMES, MOST_DIFFERENT = 32, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerFacts:
    """Source of the facts of one worker."""

    settings: Settings
    role: Role
    lag: GroupLag
    inference: Inference
    aggregation: Aggregation
    rollout: Rollout
    #: Returns the seconds for which this worker has not been ready.
    unready: Callable[[], float]
    is_stopping: Callable[[], bool]

    def __call__(self) -> Mapping[str, Any]:
        """Return the facts by the names that the sections use; missing facts are left out."""
        jury = self.aggregation.jury if self.aggregation.warm else None
        facts = {
            "flow": _flow(self.lag),
            "lag_known": self.lag.was_known,
            "stopping": self.is_stopping(),
            "unready": self.unready(),
            # It is normal that votes wait for a deadline.
            "patience": self.settings.vote_deadline if self.role.is_jury else 0.0,
            "role": self._role(),
            "waits": "votes" if self.role.is_jury else "",
            "voter": self.role.voter,
            "absent": None if jury is None else jury.absent,
            "loading": self.rollout.loading,
            "refused": self.rollout.problem,
            "canary": self._canary(),
            "shadow": _shadow(self.inference.shadow, self.settings.shadow_share),
            "drift": _drift(self.inference.drift_monitor.drift),
        }
        return {name: fact for name, fact in facts.items() if fact}

    def _role(self) -> str:
        """Return what distinguishes this worker from a worker with the role ``all``."""
        if self.role.voter is not None:
            return f"It is the voter {self.role.voter}, and these are its votes."
        if self.aggregation.warm:
            pending, voters = self.aggregation.jury.pending, ", ".join(self.settings.voters)
            return f"The jury of {voters}: {pending} requests wait for votes here."
        return ""

    def _canary(self) -> Mapping[str, Any] | None:
        canary = self.inference.canary
        if canary is None:
            return None
        return {"stack": f"{canary.name} {canary.version}", "share": self.settings.canary_share}


def _flow(lag: GroupLag) -> Mapping[str, Any] | None:
    rates = lag.flow.rates()
    if rates is None:
        return None
    return {
        "arriving": rates.arriving,
        "answered": rates.answered,
        # Records of an open transaction wait for their producer, not for this group.
        "waiting": sum(each.readable for each in lag.now().values() if each is not None),
        "stalled": lag.flow.stalled,
        "growth": lag.flow.growth(),
    }


def _shadow(shadow: Shadow | None, share: float) -> Mapping[str, Any] | None:
    if shadow is None:
        return None
    return {
        "stack": shadow.stack or "",
        "share": share,
        "problem": shadow.problem or "",
        "dropped": shadow.dropped,
        "tallies": {
            stack: [each.compared, each.agreement, each.mean, each.largest]
            for stack, each in dict(shadow.tallies).items()
        },
    }


def _drift(drift: Drift | None) -> Mapping[str, Any] | None:
    if drift is None:
        return None
    return {
        "stack": drift.stack,
        "verdicts": len(drift),
        "measured": sum(drift.reference.verdicts.values()),
        "findings": [
            {
                "quantity": finding.quantity,
                "index": finding.index,
                "limit": finding.limit,
                "since": finding.since,
                "shares": _shares(finding),
                "names": len(finding.now),
            }
            for finding in drift.findings
        ],
    }


def _shares(finding: Finding) -> Mapping[str, list[float]]:
    """Return the shares before and now; of many names, of those that differ most."""
    before, now = finding.before, finding.now
    names = list(now)
    if len(names) > MOST_NAMES:
        names = nlargest(MOST_DIFFERENT, now, key=lambda name: abs(now[name] - before[name]))
        names += [UNKNOWN] if UNKNOWN in now and UNKNOWN not in names else []
    return {name: [before[name], now[name]] for name in names}
