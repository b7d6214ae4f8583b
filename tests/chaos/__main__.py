"""Command ``make chaos SEED=n MINUTES=m TOPOLOGY=workers|classes|voting``."""

import argparse
import random
import shutil
import sys
from pathlib import Path

from tests.chaos.pictures import requests_for
from tests.chaos.runner import run
from tests.chaos.topologies import TOPOLOGIES


def main() -> None:
    """Run, print the report, and exit with 1 if the guarantee did not hold."""
    parser = argparse.ArgumentParser(description="Random faults, and whether anything was lost.")
    parser.add_argument("--seed", type=int, default=random.randrange(10_000), help="(random)")
    parser.add_argument("--minutes", type=float, default=5.0, help="(5)")
    parser.add_argument("--folder", type=Path, default=Path("build/chaos"), help="(build/chaos)")
    parser.add_argument("--topology", choices=TOPOLOGIES, default="workers", help="(workers)")
    options = parser.parse_args()
    folder = options.folder.absolute() / str(options.seed)
    shutil.rmtree(folder, ignore_errors=True)  # an earlier run's brokers have its requests
    folder.mkdir(parents=True)
    print(f"SEED={options.seed}, {options.minutes:g} minutes; logs in {folder}", flush=True)
    findings = run(
        folder,
        requests_for(options.topology),
        topology=options.topology,
        seed=options.seed,
        seconds=60 * options.minutes,
        tell=print,
    )
    print(
        f"{findings.requests} requests, {findings.published_twice} published twice, "
        f"{findings.stopped} rejected as stopped_workers"
    )
    for sentence in findings.broken:
        print(f"BROKEN: {sentence}")
    sys.exit(bool(findings.broken))


if __name__ == "__main__":
    main()
