"""Tests of the deadlines for Kafka, and of how they depend on each other."""

from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from catdog_stream import deadlines
from catdog_stream.delivery import fetch_rationing

#: Kafka's defaults, in seconds.
BROKER_SESSION = 9.0
OFFSET_COMMIT_TIMEOUT = 5.0
#: Seconds without answers for the partitions of a frozen broker, and until a worker reports it.
MOVED_ON = 40.0
SAID = 15.0


def test_a_member_that_waits_for_the_others_is_not_cut_off() -> None:
    assert deadlines.JOIN > deadlines.REBALANCE
    assert deadlines.request_seconds(JoinGroupRequest.API_KEY) == deadlines.JOIN
    assert deadlines.request_seconds(SyncGroupRequest.API_KEY) == deadlines.JOIN
    drained = deadlines.DRAIN + deadlines.LAST_COMMIT
    assert drained + deadlines.TOPIC_KNOWN_TO_MEMBER < deadlines.REBALANCE


def test_a_connection_reports_why_it_has_no_token() -> None:
    assert min(deadlines.CONNECT, deadlines.WHY_UNREACHABLE, deadlines.LOOK) > deadlines.TOKEN


def test_a_coordinator_that_is_silent_is_given_up_before_the_session_is_over() -> None:
    asked_again = deadlines.HEARTBEAT_INTERVAL + deadlines.HEARTBEAT
    assert asked_again + deadlines.HEARTBEAT_INTERVAL < deadlines.SESSION
    assert deadlines.request_seconds(HeartbeatRequest.API_KEY) == deadlines.HEARTBEAT


def test_a_record_is_not_written_twice_because_a_broker_has_just_gone() -> None:
    assert BROKER_SESSION < deadlines.COPIES < deadlines.PRODUCE < deadlines.ANSWER
    assert deadlines.request_seconds(ProduceRequest.API_KEY) == deadlines.PRODUCE
    assert deadlines.request_seconds(OffsetCommitRequest.API_KEY) > OFFSET_COMMIT_TIMEOUT


def test_what_a_frozen_broker_led_is_answered_again_in_time() -> None:
    # The record that waits for the broker, the metadata request to it, a connection to it, and the
    # last two again if the cluster had no new leader yet.
    attempt = deadlines.METADATA + deadlines.CONNECT
    assert BROKER_SESSION + deadlines.PRODUCE + attempt < MOVED_ON
    assert deadlines.request_seconds(MetadataRequest.API_KEY) == deadlines.METADATA
    # Reading continues at the new leaders, whatever still waits for the old one.
    assert BROKER_SESSION + deadlines.LOOK_AT_CLUSTER + deadlines.METADATA < MOVED_ON


def test_silence_is_told_in_time_and_no_ordinary_wait_is_taken_for_it() -> None:
    assert deadlines.HEARTBEAT_INTERVAL + deadlines.SILENCE + deadlines.LOOK_AGAIN < SAID
    assert deadlines.SILENCE > deadlines.HEARTBEAT_INTERVAL + deadlines.HEARTBEAT
    assert max(deadlines.CONNECT, deadlines.METADATA) < deadlines.SILENCE
    assert deadlines.request_seconds(FetchRequest.API_KEY) > fetch_rationing.LESS_POLLED_INTERVAL


def test_nothing_lasts_longer_than_the_settings_that_faust_checks() -> None:
    settings = deadlines.worker_settings()
    assert settings["broker_request_timeout"] >= max(deadlines.JOIN, deadlines.FETCH)
    a_step_of_a_recovery = settings["broker_request_timeout"]
    taken_over = deadlines.COMMITTED + deadlines.SNAPSHOTS + deadlines.HISTORY
    assert a_step_of_a_recovery > taken_over + deadlines.COMMIT
    assert deadlines.HISTORY > deadlines.SHORT_LOG
    assert settings["broker_session_timeout"] < settings["broker_request_timeout"]


def test_a_worker_stops_in_time_whatever_its_broker_does() -> None:
    at_the_end = deadlines.LAST_SPANS + deadlines.LAST_TASKS
    assert deadlines.DRAIN + deadlines.LAST_COMMIT + at_the_end < deadlines.STOP
    assert deadlines.STOP < deadlines.UP_STOP


def test_who_publishes_is_still_the_owner() -> None:
    # No other member can have the partitions yet: the session, less the time that the answer that
    # confirmed it may have been in transit.
    assert deadlines.CONFIRMED <= deadlines.SESSION - deadlines.HEARTBEAT


def test_a_look_is_over_before_the_next_one_and_knows_every_address() -> None:
    assert deadlines.LOOK < deadlines.SILENCE
    assert 5 * deadlines.NEXT_ADDRESS < deadlines.LOOK
    assert deadlines.PEER <= deadlines.LOOK


def test_work_counts_as_stuck_only_after_all_that_kafka_may_do_to_it() -> None:
    assert deadlines.STALL > MOVED_ON
    assert deadlines.STALL < deadlines.ANSWER


def test_a_recount_waits_for_the_workers_longer_than_partitions_move() -> None:
    assert deadlines.RECOUNTED > deadlines.REBALANCE + deadlines.SESSION + deadlines.COMMIT


def test_a_swap_is_waited_for_until_each_worker_has_come_to_its_end_with_it() -> None:
    received = deadlines.SUPERSEDED + deadlines.LOOK_AGAIN
    assert received < deadlines.RECEIVED < deadlines.STACK_LOADED
    assert deadlines.STACK_LOADED + deadlines.RECEIVED < deadlines.ROLLED_OUT
    assert deadlines.SESSION < deadlines.RECEIVED, "who was killed is no member any more"
