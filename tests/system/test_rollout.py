"""Tests of stack rollouts on a running stream: no request is lost; labels name their stack."""

import asyncio
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
import requests
from aiokafka import ConsumerRecord

from catdog_stream.testing import Worker, own_broker
from catdog_stream.testing.waiting import wait_until
from tests.support.client import Client, header, request
from tests.support.fleet import SETTINGS, Fleet
from tests.support.load import loaded
from tests.support.stacks import (
    DEFAULT,
    SECOND,
    add,
    command,
    in_header,
    quality,
    with_classes,
    with_golden,
)

pytestmark = pytest.mark.integration


def repository(folder: Path) -> Path:
    """Return three good versions, one with a different golden picture, and one damaged version."""
    for version in ("1", "2"):
        add(folder, "pets", version)
    with_golden(folder, "pets", "3", cat=0.0, dog=1.0)
    with_golden(folder, "pets", "4", cat=1.0, dog=0.0)
    damaged = add(folder, "pets", "5")
    (damaged / "head.ubj").unlink()
    (damaged / "head.ubj").write_bytes(b"damaged")
    return folder


@pytest.mark.long
@pytest.mark.slow
def test_two_workers_swap_under_load_and_refuse_what_is_broken(tmp_path: Path, cat: bytes) -> None:
    folder = repository(tmp_path / "stacks")
    settings = {**SETTINGS, "CATDOG_STACKS": str(folder)}

    async def swap(address: str, fleet: Fleet) -> None:
        async def order(*arguments: str) -> subprocess.CompletedProcess[str]:
            return await asyncio.to_thread(command, address, folder, *arguments)

        used = await order("use", "pets/2")
        assert used.returncode == 0, used.stderr
        assert used.stdout.count("pets 2") == 2
        for broken, why in (("pets/3", "golden picture"), ("pets/5", "damaged")):
            refused = await asyncio.to_thread(command, address, None, "use", broken)
            assert refused.returncode == 1
            assert refused.stdout.count("pets 2 stays in service") == 2, refused.stdout
            assert why in refused.stdout
        told = await asyncio.to_thread(text, fleet.workers[0], "/metrics")
        assert 'catdog_stack_info{engine="litert",name="pets",version="2"} 1.0' in told
        assert "catdog_stacks_refused_total 2.0" in told
        page = await asyncio.to_thread(text, fleet.workers[0], "/")
        assert "This worker serves pets 2." in page
        assert "damaged" in page
        ready = await asyncio.to_thread(fleet.workers[0].get, "/readyz")
        assert ready["ready"], "it answers, though with another stack"
        assert "damaged" in ready["warnings"][0]
        listed = await order("list")
        assert listed.stdout.count("serves pets 2: ") == 2, listed.stdout
        back = await order("rollback")  # past both refused versions
        assert back.returncode == 0, back.stderr
        assert "Back to pets/2." in back.stdout
        good = await order("use", "pets/4")
        assert good.returncode == 0, good.stderr + good.stdout
        await fleet.join()  # a later worker serves it from the first request on

    async def scenario(address: str) -> None:
        async with Fleet(address, tmp_path, settings) as fleet, Client(address) as client:
            await fleet.join()
            async with loaded(client, request(cat), at_once=4) as sources:
                await swap(address, fleet)
            await fleet.prove(client, sources)
            in_order(client)

    with own_broker(tmp_path / "broker") as broker:
        asyncio.run(scenario(broker.address))
        listed = command(broker.address, folder, "list")
        assert f"* pets/4  accuracy {quality()['accuracy']:.2%}" in listed.stdout
        assert "pets/5  cannot be used" in listed.stdout
        with Worker(broker.address, tmp_path, settings=settings) as later:
            later.wait_ready()
            assert stack_of_next(broker.address, cat) == "pets 4"
            for stack in ("pets/2", "the stack of its own settings"):
                back = command(broker.address, folder, "rollback")
                assert f"Back to {stack}." in back.stdout, back.stderr
                assert back.returncode == 0, back.stdout
            assert stack_of_next(broker.address, cat) == in_header(DEFAULT)
            back = command(broker.address, folder, "rollback")
            assert back.returncode == 1
            assert "nothing to go back to" in back.stderr


def text(worker: Worker, path: str) -> str:
    """Return the response body at a path."""
    return requests.get(f"http://127.0.0.1:{worker.port}{path}", timeout=10).text


def stack_of_next(address: str, cat: bytes) -> str | None:
    return header(next_label(address, cat), "stack")


def next_label(address: str, cat: bytes) -> ConsumerRecord:
    async def ask() -> ConsumerRecord:
        async with Client(address) as client:
            sources = await client.send([request(cat)])
            await client.answers(sources)
            return client.labels[sources[0]][0]

    return asyncio.run(ask())


def in_order(client: Client) -> None:
    """Check that stacks follow each other in each partition, and no replaced stack comes back."""
    by_partition = defaultdict(list)
    for records in client.labels.values():
        for record in records:
            by_partition[record.partition].append(record)
    names = set()
    for records in by_partition.values():
        records.sort(key=lambda record: record.offset)
        turns = [header(record, "stack") for record in records]
        names |= set(turns)
        changes = [now for before, now in zip([None, *turns], turns, strict=False) if now != before]
        assert len(changes) == len(set(changes)), changes
    assert names == {in_header(DEFAULT), "pets 2", "pets 4"}


def test_what_ships_is_swapped_in_by_name_and_back(tmp_path: Path, cat: bytes) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    with own_broker(tmp_path / "broker") as broker:
        settings = {"CATDOG_STACKS": str(folder), "CATDOG_STACK": "efficientnet_lite2"}
        with Worker(broker.address, tmp_path, settings=settings) as worker:
            worker.wait_ready()
            assert stack_of_next(broker.address, cat) == in_header(SECOND)
            for stack in (DEFAULT, SECOND) * 2:
                used = command(broker.address, folder, "use", str(stack))
                assert used.returncode == 0, used.stdout + used.stderr
                assert "Unclosed" not in used.stderr, "a connection was left behind"
                assert stack_of_next(broker.address, cat) == in_header(stack)
            for _ in range(2):
                back = command(broker.address, folder, "rollback")
                assert back.returncode == 0, back.stdout + back.stderr
                assert "Unclosed" not in back.stderr, "a connection was left behind"


@pytest.mark.long
def test_a_stack_of_the_settings_that_has_the_name_of_the_ordered_one_is_replaced(
    tmp_path: Path, cat: bytes
) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    namesake = with_classes(tmp_path / "own", DEFAULT.name, DEFAULT.version, "bird", "cat", "horse")
    settings = {"CATDOG_STACKS": str(folder), "CATDOG_STACK": str(namesake)}
    with (
        own_broker(tmp_path / "broker") as broker,
        Worker(broker.address, tmp_path, settings=settings) as worker,
    ):
        worker.wait_ready()
        assert header(next_label(broker.address, cat), "bird")
        used = command(broker.address, folder, "use", str(DEFAULT))
        assert used.returncode == 0, used.stdout + used.stderr
        label = next_label(broker.address, cat)
        assert header(label, "dog")
        assert not header(label, "bird")
        back = command(broker.address, folder, "rollback")
        assert back.returncode == 0, back.stdout + back.stderr
        assert header(next_label(broker.address, cat), "bird")


@pytest.mark.long
def test_a_worker_that_lacks_the_version_says_so_and_stays_and_can_have_other_classes(
    tmp_path: Path, cat: bytes
) -> None:
    folder = tmp_path / "stacks"
    with_classes(folder, "zoo", "1", "bird", "cat", "horse")
    with own_broker(tmp_path / "broker") as broker:
        nobody = command(broker.address, None, "use", "pets/2")
        assert nobody.returncode == 2, "it may be a slip of the pen"
        elsewhere = tmp_path / "elsewhere"
        with_classes(elsewhere, "pets", "2", "cat", "dog", "horse")
        nobody = command(broker.address, elsewhere, "use", "pets/2")
        assert nobody.returncode == 0
        assert "No worker runs: those to come serve pets/2." in nobody.stdout
        settings = {"CATDOG_STACKS": str(folder)}
        with Worker(broker.address, tmp_path, settings=settings) as worker:
            worker.wait_ready()  # ready with the stack of its settings
            assert "There is no stack pets/2 in" in worker.get("/readyz")["warnings"][0]
            assert "There is no stack pets/2 in" in text(worker, "/")
            assert "catdog_stack_order_followed 0.0" in text(worker, "/metrics")
            refused = command(broker.address, None, "use", "pets/2")
            assert refused.returncode == 1
            assert (
                f"{in_header(DEFAULT)} stays in service: There is no stack pets/2 in"
                in refused.stdout
            )
            assert stack_of_next(broker.address, cat) == in_header(DEFAULT)
            used = command(broker.address, folder, "use", "zoo/1")
            assert used.returncode == 0, used.stdout + used.stderr
            assert "its classes are bird, cat, horse" in used.stdout
            assert stack_of_next(broker.address, cat) == "zoo 1"
            assert "warnings" not in worker.get("/readyz")
            assert "catdog_stack_order_followed 1.0" in text(worker, "/metrics")
            assert worker.get("/labels/bird/")["count"] >= 0
            back = command(broker.address, folder, "rollback")
            assert "Back to the stack of its own settings." in back.stdout
            assert back.returncode == 0, back.stdout + back.stderr
            wait_until(lambda: worker.get("/labels/")["total"] == 2, "what both said to be counted")


def test_a_folder_that_is_not_there_is_a_mistake_of_the_settings(tmp_path: Path) -> None:
    answer = command("127.0.0.1:1", tmp_path / "nowhere", "list")
    assert answer.returncode == 2
    assert "CATDOG_STACKS" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_without_the_folder_nothing_can_be_listed() -> None:
    answer = command("127.0.0.1:1", None, "list")
    assert answer.returncode == 2
    assert "CATDOG_STACKS must name the folder" in answer.stderr
    assert "Traceback" not in answer.stderr
