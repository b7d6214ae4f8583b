"""Facts of a worker about its models, beside its answers, for sections of the page, as JSON."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.pipeline.drift import Drift
from catdog_stream.pipeline.shadow.watching import Shadow

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["facts"]


def facts(app: "CatDogApp") -> Mapping[str, Any]:
    """Return the facts by the names that the sections use; missing facts are left out."""
    told = {
        "flow": _flow(app.lag),
        "lag_known": app.lag.was_known,
        "stopping": app.should_stop,
        "unready": app.watchdog.unready,
        # It is normal that votes wait for a deadline.
        "patience": app.settings.vote_deadline if app.role.is_jury else 0.0,
        "role": _role(app),
        "waits": "votes" if app.role.is_jury else "",
        "voter": app.role.voter,
        "absent": app.aggregation.jury.absent
        if app.role.is_jury and app.aggregation.warm
        else None,
        "loading": app.rollout.loading,
        "refused": app.rollout.problem,
        "canary": _canary(app),
        "shadow": _shadow(app.inference.shadow, app.settings.shadow_share),
        "drift": _drift(app.inference.drift_monitor.drift),
    }
    return {name: fact for name, fact in told.items() if fact}


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


def _role(app: "CatDogApp") -> str:
    """Return what distinguishes this worker from a worker with the role ``all``."""
    if app.role.voter is not None:
        return f"It is the voter {app.role.voter}, and these are its votes."
    if app.role.is_jury and app.aggregation.warm:
        jury, voters = app.aggregation.jury, ", ".join(app.settings.voters)
        return f"The jury of {voters}: {jury.pending} requests wait for votes here."
    return ""


def _canary(app: "CatDogApp") -> Mapping[str, Any] | None:
    canary = app.inference.canary
    if canary is None:
        return None
    return {"stack": f"{canary.name} {canary.version}", "share": app.settings.canary_share}


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
                "shares": {name: [finding.before[name], now] for name, now in finding.now.items()},
            }
            for finding in drift.findings
        ],
    }
