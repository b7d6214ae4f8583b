"""What is particular to noida-db, the server behind the embedded broker.

noida-db comes as a wheel that holds one native binary, which speaks several databases' protocols;
only its Kafka is switched on. It binds 127.0.0.1 and keeps its state in one JSON file.

Known limits, all of version 0.2.3: a member of a consumer group that dies without leaving is
never expired; of all size and retention settings only those of a topic count, none of the broker;
its state is written as a whole, so large topics cost CPU time and memory; when it is stopped it
confirms records after it has written its state, and loses them.
"""

import importlib.resources
import os
import platform
import re
import shutil
from pathlib import Path

from catdog_stream.errors import BrokerError

_BINARY = "noida-db.exe" if os.name == "nt" else "noida-db"
# The loader also warns of missing *weak* symbols, which do no harm.
_OLD_GLIBC = re.compile(r"(?<!weak )version `GLIBC_([\d.]+)' not found")


def command(port: int, data_dir: Path) -> list[str]:
    """The command line of a server on `port` that keeps its data in `data_dir`.

    Raises `BrokerError` if the package or its binary is missing.
    """
    binary = str(ensure_executable(_binary(), data_dir))
    return [
        binary,
        "start",
        "--only",
        "kafka",
        "--kafka-port",
        str(port),
        "--data-dir",
        str(data_dir),
    ]


def explain(log: str) -> str | None:
    """One sentence for a known reason of an early end in the server's output, or None."""
    if "is already in use" in log:
        return "its port is already in use: choose another with --port"
    if "is already running for" in log:
        return "another one uses its data directory: choose another with --data-dir"
    if old := _OLD_GLIBC.search(log):
        has = platform.libc_ver()[1] or "another C library"
        return f"noida-db needs glibc {old[1]} or newer and this machine has {has}"
    return None


def ensure_executable(binary: Path, folder: Path) -> Path:
    """`binary` itself or, where its execute bit is missing, a copy in `folder` that has it.

    Some installers drop the bit, and the folder of the installed packages may be read-only.
    """
    if os.access(binary, os.X_OK):
        return binary
    copy = folder / binary.name
    shutil.copyfile(binary, copy)
    copy.chmod(0o755)
    return copy


def _binary() -> Path:
    try:
        binary = Path(str(importlib.resources.files("noida_db") / _BINARY))
    except ModuleNotFoundError:
        raise BrokerError(
            "the embedded broker is not installed: run 'pip install noida-db'"
        ) from None
    if not binary.is_file():
        raise BrokerError(f"the embedded broker's program {binary} is missing: reinstall noida-db")
    return binary
