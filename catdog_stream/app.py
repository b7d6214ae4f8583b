"""Composition root: ``build_app`` creates every service and passes each what it needs.

``faust -A catdog_stream.app worker`` and ``catdog-stream worker`` are the same.
"""

import os
import sys
from typing import NoReturn, cast

from catdog_stream.errors import exit_with_sentence
from catdog_stream.terminal import shown
from catdog_stream.worker.gc_tuning import keep_out_of_gc
from catdog_stream.worker.preflight import check, normalize

with exit_with_sentence():
    check(os.environ)
    normalize(os.environ)

with keep_out_of_gc():
    from catdog_stream import commands, metrics
    from catdog_stream.agents.answer_counter import AnswerCounter
    from catdog_stream.agents.classify import add_classify
    from catdog_stream.agents.correct import add_correct_counts
    from catdog_stream.agents.count import add_count_labels, answers_a_request
    from catdog_stream.agents.decide import add_decide
    from catdog_stream.delivery.committed_table import CommittedTable
    from catdog_stream.delivery.fetch_budget import FetchBudget
    from catdog_stream.delivery.group_lag import GroupLag
    from catdog_stream.delivery.group_member import GroupMember
    from catdog_stream.delivery.label_writer import LabelWriter
    from catdog_stream.delivery.publishing import KafkaPublisher
    from catdog_stream.delivery.voting import VotePublisher
    from catdog_stream.kafka.topics import Topics
    from catdog_stream.memory import MemoryPlan
    from catdog_stream.pipeline.answer_metrics import AnswerMetrics, VoteMetrics
    from catdog_stream.pipeline.observing import Observers
    from catdog_stream.settings import Settings
    from catdog_stream.web.console import add_console
    from catdog_stream.web.server import Web
    from catdog_stream.worker.aggregation import Aggregation
    from catdog_stream.worker.application import CatDogApp
    from catdog_stream.worker.cluster_readiness import ClusterReadiness
    from catdog_stream.worker.health import JURY_STARTS, WARMING, Watchdog, WorkerHealth
    from catdog_stream.worker.inference import Inference
    from catdog_stream.worker.loading import loader_of
    from catdog_stream.worker.roles import role_of
    from catdog_stream.worker.rollout import Rollout
    from catdog_stream.worker.tracing import Tracing

__all__ = ["app", "build_app", "main", "topics"]


def build_app(settings: Settings) -> CatDogApp:
    """Return the app of a worker, with its services, tables, agents and web paths.

    Raises:
        SettingError: a setting cannot be used.
    """
    role = role_of(settings)
    app = CatDogApp(settings, role, web=lambda app: Web(app, settings, lambda: app.address))
    tables = {name: _table(app, name) for name in role.counted}
    member = GroupMember(role.reads, lambda: app.consumer, lambda: app.is_settled)
    plan = MemoryPlan.of(settings)
    readiness = app.cluster_readiness = ClusterReadiness(settings, role, tables)
    app.record_topics = Topics.declare(app, settings)
    app.lag = GroupLag(role.reads)
    metrics.LAG.set_function(app.lag.now)
    app.fetched = FetchBudget({role.reads}, fetch=plan.fetch, most=plan.records)
    app.observers = Observers()
    answers = AnswerMetrics(
        settings.metric_labels,
        lambda: [shard["labels"] for shard in tables["label_counts"].values()],
    )
    app.observers.add(answers if role.voter is None else VoteMetrics())
    app.tracing = Tracing(
        settings.traces,
        span="decide" if role.is_jury else "classify",
        address=lambda: app.address,
        observers=app.observers,
    )

    weights: dict[str, float] = {}
    publisher: KafkaPublisher | VotePublisher = KafkaPublisher(
        lambda: app.producer,
        settings.cluster,
        partitions=lambda topic: readiness.partitions[topic],
        max_bytes=settings.max_answer_bytes,
        labels=LabelWriter.of(settings),
        picture_members=settings.request_parser.picture_members,
    )
    if role.voter is not None:
        publisher = VotePublisher(
            lambda: app.producer,
            voter=role.voter,
            weight=lambda stack: weights.get(stack, 1.0),
            cluster=settings.cluster,
        )
    app.inference = Inference(
        settings,
        load=loader_of(settings),
        publisher=publisher,
        owns=member.is_member,
        fetched=app.fetched,
        observers=app.observers,
        weights=weights,
        on_failure=app.give_up,
        flow=member,
    )
    app.rollout = Rollout(settings, app.inference, voter=role.voter, address=lambda: app.address)
    app.aggregation = Aggregation(
        settings,
        publisher=publisher,
        producer=lambda: app.producer,
        member=member,
        counts=tables["label_counts"],
        observers=app.observers,
        on_failure=app.give_up,
    )
    health = WorkerHealth(
        app.work,
        starting=JURY_STARTS if role.is_jury else WARMING,
        agents=app.agents,
        cluster=readiness,
        member=member,
        failure=lambda: app.failure,
    )
    app.watchdog = Watchdog(health, is_stopping=lambda: app.should_stop, on_failure=app.give_up)

    counter = AnswerCounter(tables["label_counts"], member)
    if role.is_jury:
        add_decide(app, app.record_topics.votes, app.aggregation, counter)
    else:
        add_classify(app, app.record_topics.requests, app.inference, counter)
    if role.corrects:
        add_correct_counts(app, member)
    app.passes_over = {}
    if "foreign_counts" in tables:
        add_count_labels(app, app.record_topics.labels, tables["foreign_counts"], app.observers)
        app.passes_over[settings.cluster.names.labels] = lambda record: answers_a_request(
            record,
            requests_topic=settings.cluster.names.requests,
            partitions=readiness.partitions[settings.cluster.names.labels],
            end_of=member.consumer.end_of,
        )
    add_console(app, tables.values(), member, health)
    return app


def _table(app: CatDogApp, name: str) -> CommittedTable:
    """Declare the table of counts ``name``."""
    table = app.Table(
        name,
        key_type=int,
        partitions=app.settings.partitions,
        follows=app.role.counted[name],
        counts=app.settings.cluster.names.counted[name],
    )
    return cast(CommittedTable, table)


with exit_with_sentence():
    app = build_app(Settings.from_environment())

topics = app.record_topics
commands.add_commands(app)


def main() -> NoReturn:
    """Run the command line and exit at once, without waiting for threads that are still running."""
    try:
        app.main()
    except OSError as error:  # a full disk, a closed terminal
        about = f"{error.filename}: " if error.filename else ""
        print(shown(f"Error: {about}{error.strerror or error}."), file=sys.stderr)
        code = 1
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 1
    os._exit(code)
