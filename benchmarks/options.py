"""Command line options that the benchmarks share."""

import argparse
import os
import re
from pathlib import Path

__all__ = ["OWN", "add_broker", "broker_choice", "parser"]

#: Value of ``--broker`` for a new local Kafka; any other value is the address of a cluster.
OWN = "own"

_ADDRESS = re.compile(r"(?:kafka://)?([^\s:/]+:\d{1,5})")


def parser(description: str | None, *, images: bool = True) -> argparse.ArgumentParser:
    """Return a parser with the shared options; ``images`` where pictures are classified."""
    result = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if images:
        result.add_argument(
            "--images",
            type=Path,
            default=Path("samples"),
            metavar="DIR",
            help="a folder of pictures, searched through (samples)",
        )
    add_broker(result)
    result.add_argument("--output", type=Path, metavar="FILE", help="write the figures as JSON")
    return result


def add_broker(parser: argparse.ArgumentParser) -> None:
    """Add ``--broker`` to ``parser``."""
    parser.add_argument(
        "--broker",
        type=broker_choice,
        default=os.environ.get("CATDOG_TEST_BROKER", OWN),
        metavar="BROKER",
        help="own, a new Kafka on this machine, or HOST:PORT of a cluster that nobody else uses "
        "(CATDOG_TEST_BROKER if that is set, else own)",
    )


def broker_choice(text: str) -> str:
    """Return ``own`` or ``HOST:PORT``; the value may also be ``kafka://HOST:PORT``."""
    if text == OWN:
        return text
    if (address := _ADDRESS.fullmatch(text)) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not own or HOST:PORT")
    return address[1]
