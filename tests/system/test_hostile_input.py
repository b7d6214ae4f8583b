"""Tests of hostile records in the topic: each is answered once, and by the same worker."""

import asyncio
import re
from pathlib import Path

import pytest

from catdog_stream.testing.waiting import wait_until
from catdog_stream.testing.worker import Worker
from tests.support.client import Client, Message, header, request, strict_label
from tests.support.hostile import LABEL, Case, cases, odd_cases
from tests.support.odd_batches import send_odd

pytestmark = [pytest.mark.integration, pytest.mark.long]

#: Highest resident memory of the worker, in MB. Pictures of up to 25 million pixels are decoded one
#: at a time, and the model takes 200.
MOST_MEMORY = 768
#: With records of 50 MB: several of them arrive together and are held compressed and decompressed.
MOST_MEMORY_HUGE = 1280
FEWEST_CASES = 2000
#: Number of requests sent together; the client's memory stays small.
BLOCK = 250
WIRE = Path(__file__).parents[2] / "docs" / "wire.md"


def documented_reasons() -> set[str]:
    """Return the codes in the document's table of reasons, without the code for our own faults."""
    table = WIRE.read_text().partition("| reason | |")[2].partition("\n\n")[0]
    return set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) - {"internal_error"}


def peak_memory(worker: Worker) -> float:
    """Return the highest resident memory of the worker so far, in MB. Linux only."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert peak is not None
    return int(peak[1]) / 1024


def check(client: Client, case: Case, source: str, reasons: set[str]) -> str | None:
    """Return an error in the answers to a case, or None."""
    labels, rejected = client.labels.get(source, []), client.rejected.get(source, [])
    if len(labels) + len(rejected) != 1:
        return f"{case.name}: {len(labels)} labels, {len(rejected)} rejections"
    if labels:
        strict_label(labels[0].value, sent=("extra", "n"))
        answer: str | None = LABEL
    else:
        answer = header(rejected[0], "reason")
        if answer not in reasons or not header(rejected[0], "detail"):
            return f"{case.name}: rejected with {answer!r}"
    if case.expected not in (None, answer):
        return f"{case.name}: {answer}, not {case.expected}"
    return None


def test_each_of_thousands_of_hostile_requests_ends_as_one_answer(
    worker: Worker, broker_address: str, cat: bytes
) -> None:
    corpus, odd = cases(), odd_cases()
    assert len(corpus) + len(odd) >= FEWEST_CASES
    reasons = documented_reasons()

    async def scenario() -> None:
        async with Client(broker_address) as client:
            before = worker.get("/labels/")
            sent: list[tuple[Case, str]] = []
            for start in range(0, len(corpus), BLOCK):
                block = corpus[start : start + BLOCK]
                sources = await client.send(case.message for case in block)
                sent += zip(block, sources, strict=True)
            await client.answers((source for _, source in sent), deadline=240)
            assert peak_memory(worker) < MOST_MEMORY
            sources = await send_odd(broker_address, [case.message for case in odd])
            sent += zip(odd, sources, strict=True)
            good = Case("a cat, after all that", Message(request(cat)), LABEL)
            sent += zip([good], await client.send([good.message]), strict=True)
            await client.answers((source for _, source in sent), deadline=240)
            wrong = [
                problem
                for case, source in sent
                if (problem := check(client, case, source, reasons))
            ]
            assert not wrong, f"{len(wrong)} cases: " + "; ".join(wrong[:20])
            truth = {"total": len(client.labels), "rejected": len(client.rejected)}
            assert sum(truth.values()) == len(sent)
            wait_until(
                lambda: {key: worker.get("/labels/")[key] - before[key] for key in truth} == truth,
                f"the counts to equal {truth}",
            )

    asyncio.run(scenario())
    assert worker.process.poll() is None
    assert worker.get("/healthz") == {"alive": True, "problems": []}
    peak = peak_memory(worker)
    print(f"{len(corpus) + len(odd)} cases, the worker's memory was {peak:.0f} MB at most")
    assert peak < MOST_MEMORY_HUGE
    log = worker.log.read_text(errors="replace")
    assert "Traceback" not in log
    assert "internal_error" not in log
