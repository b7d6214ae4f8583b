"""What a worker tells of its models beside what it answers, for sections of the page, in JSON."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from catdog_stream.delivery.group_lag import GroupLag
from catdog_stream.pipeline.drift import Drift
from catdog_stream.pipeline.shadow.watching import Shadow

if TYPE_CHECKING:
    from catdog_stream.worker.application import CatDogApp

__all__ = ["facts"]


def facts(app: "CatDogApp") -> Mapping[str, Any]:
    """The facts by the names that the sections know them by; what there is not is left out."""
    told = {
        "flow": _flow(app.lag),
        "unready": app.watchdog.unready,
        # Votes that wait for a deadline are no sign of trouble.
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
        "drift": _drift(app.inference.drifting.drift),
    }
    return {name: fact for name, fact in told.items() if fact}


def _flow(lag: GroupLag) -> Mapping[str, Any] | None:
    rates = lag.flow.rates()
    if rates is None:
        return None
    return {
        "arriving": rates.arriving,
        "answered": rates.answered,
        # What an open transaction holds back waits for its producer.
        "waiting": sum(each.readable for each in lag.now().values() if each is not None),
        "stalled": lag.flow.stalled,
    }


def _role(app: "CatDogApp") -> str:
    """What sets this worker apart from one that does everything."""
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
