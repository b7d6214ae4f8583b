"""Is this worker alive, is it ready, and if not, why."""

from typing import TYPE_CHECKING

from faust.exceptions import ConsumerNotStarted

from catdog_stream.topics import REQUESTS

if TYPE_CHECKING:
    from catdog_stream.application import CatDogApp

__all__ = ["health_problems", "readiness_problems"]


def health_problems(app: "CatDogApp") -> list[str]:
    """What only a restart can mend; empty if the worker is alive."""
    problems = []
    for name, agent in app.agents.items():
        actors = tuple(agent._actors)
        if agent.started and not any(
            actor.actor_task is not None and not actor.actor_task.done() for actor in actors
        ):
            problems.append(f"The agent {name} is not running.")
    return problems


def readiness_problems(app: "CatDogApp") -> list[str]:
    """What keeps the worker from answering requests now; empty if it is ready."""
    problems = health_problems(app)
    if app.gate.problem is not None:
        return [*problems, app.gate.problem]
    if not app.classifying.warm:
        problems.append("The model is warming up.")
    if not app.settled:
        problems.append("Partitions are being assigned and tables recovered.")
    elif not _has_partition(app):
        problems.append("No partition is assigned to this worker.")
    return problems


def _has_partition(app: "CatDogApp") -> bool:
    try:
        return any(tp.topic == REQUESTS for tp in app.consumer.assignment())
    except ConsumerNotStarted:
        return False
