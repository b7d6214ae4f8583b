"""Requests per second by reference against embedded pictures, with a model that costs nothing.

    python -m benchmarks.references [--count 6000] [--rounds 3] [--broker BROKER]

Each round measures the same pictures in the requests, in an S3 store and on an HTTPS server that
answer 5 ms late; what counts is the ratio within a round. The stores run on the same machine.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tqdm import tqdm

from benchmarks.brokers import Broker, broker_name, lend
from benchmarks.measuring import Pace, median_cpu, ratios, work_off
from benchmarks.options import parser
from benchmarks.programs import instant_worker
from benchmarks.report import milliseconds, report, spread
from tests.fetching.stores import environment
from tests.support.fleet import GROUP
from tests.support.secured import HOST, Certificates

#: Bytes of the picture; base64 makes it a third larger.
SIZES = {"30 KB": 22_500, "300 KB": 225_000}
KINDS = ("embedded", "S3", "HTTPS")


def main() -> None:
    """Run the measurement and print the report."""
    arguments = parser(__doc__, images=False)
    arguments.add_argument("--count", type=int, default=6000, help="requests of 30 KB (6000)")
    arguments.add_argument("--rounds", type=int, default=3, help="rounds (3)")
    options = arguments.parse_args()
    paces: dict[str, list[Pace]] = {f"{kind}, {size}": [] for size in SIZES for kind in KINDS}
    with lend(options.broker) as broker, TemporaryDirectory() as folder:
        certificates = Certificates(Path(folder))
        certificates.make()
        for _ in tqdm(range(options.rounds), unit="round", disable=None):
            for size, length in SIZES.items():
                count = options.count * SIZES["30 KB"] // length
                for kind in KINDS:
                    pace = _measure(broker, kind, count, length, certificates)
                    paces[f"{kind}, {size}"].append(pace)
    to_embedded = {
        f"{kind} / embedded, {size}": ratios(paces[f"{kind}, {size}"], paces[f"embedded, {size}"])
        for size in SIZES
        for kind in KINDS[1:]
    }
    report(
        "References: a model that answers at once, stores 5 ms away",
        {
            **{
                f"{name}, requests/s": spread([p.per_s for p in each])
                for name, each in paces.items()
            },
            **{name: spread(each) for name, each in to_embedded.items()},
            **{
                f"{name}, CPU ms per request": milliseconds(median_cpu(each))
                for name, each in paces.items()
            },
        },
        {
            "rounds": {name: [asdict(pace) for pace in each] for name, each in paces.items()},
            "ratios": {name: median(each) for name, each in to_embedded.items()},
        },
        broker=broker_name(options.broker),
        output=options.output,
    )


def _measure(
    broker: Broker, kind: str, count: int, length: int, certificates: Certificates
) -> Pace:
    if kind == "embedded":
        return _work_off(broker, [os.urandom(length) for _ in range(count)], "", {})
    files = [b""] * count
    if kind == "S3":
        with _late(length) as port:
            settings = {"CATDOG_FETCH": "s3://pictures", **environment(f"http://{HOST}:{port}")}
            return _work_off(broker, files, "s3://pictures/", settings)
    with _late(length, certificates.server) as port:
        settings = {
            "CATDOG_FETCH": f"https://{HOST}:{port}",
            "SSL_CERT_FILE": str(certificates.authority),
        }
        return _work_off(broker, files, f"https://{HOST}:{port}/", settings)


def _work_off(
    broker: Broker, files: Sequence[bytes], prefix: str, settings: Mapping[str, str]
) -> Pace:
    start = instant_worker(broker, settings)
    return asyncio.run(work_off(broker.address, GROUP, files, start, prefix=prefix))


@contextmanager
def _late(*arguments: object) -> Iterator[int]:
    """Run the late server; yield its port."""
    command = [sys.executable, "-m", "benchmarks.late_server", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
