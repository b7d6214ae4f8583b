"""Jars of Apache Kafka that ``jars.txt`` pins, downloaded once from Maven Central.

They are kept in the user's cache folder and shared by all checkouts and environments. Each file is
checked and then moved into place; a damaged file there is downloaded again. Dependencies are not
resolved: only pinned files are downloaded.
"""

import hashlib
import os
import queue
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from catdog_stream.broker.java import require_extra
from catdog_stream.errors import BrokerError

__all__ = ["KAFKA_VERSION", "Jar", "cache", "fetch", "kafka_jars", "pinned"]

KAFKA_VERSION = "4.4.0"
_PINNED = Path(__file__).with_name("jars.txt")

#: Variable with the folder of a Kafka server's jars, such as ``libs`` of Kafka's own archive.
JARS_VARIABLE = "CATDOG_KAFKA_JARS"

_THREADS = 8
_TIMEOUT_SECONDS = 30  # without a received byte
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Jar:
    """Pinned file."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """File name of the jar."""
        return f"{self.artifact}-{self.version}.jar"

    def is_whole(self, file: Path) -> bool:
        """Return true if ``file`` exists and has the pinned digest."""
        try:
            with file.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


def pinned(file: Path = _PINNED) -> list[Jar]:
    """Return the jars that a server needs, by default those of ``jars.txt`` beside this module."""
    jars = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            coordinates, size, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def cache(version: str = KAFKA_VERSION) -> Path:
    """Return the folder that keeps the jars of a version."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "catdog_stream" / f"kafka-{version}"


def kafka_jars() -> Path:
    """Return a folder with the jars of a Kafka server: the user's own, or the filled cache.

    Raises:
        BrokerError: the user's folder has no Kafka, or the download failed.
    """
    own = os.environ.get(JARS_VARIABLE, "").strip()
    if not own:
        return fetch(cache(), pinned())
    if not any(Path(own).glob("kafka_*.jar")):
        raise BrokerError(f"{JARS_VARIABLE}={own!r} holds no Kafka server (no kafka_*.jar).")
    return Path(own).resolve()


def fetch(folder: Path, jars: Sequence[Jar], *, repository: str | None = None) -> Path:
    """Download the ``jars`` that are missing or damaged in ``folder``; return ``folder``.

    Args:
        folder: where they are kept; created if it is missing.
        jars: the files needed.
        repository: address of a Maven repository, used instead of Maven Central.

    Raises:
        BrokerError: a download failed twice, or did not match its pin twice.
    """
    missing = [jar for jar in jars if not jar.is_whole(folder / jar.name)]
    if not missing:
        return folder
    require_extra()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            # On the same file system as the jars, so that the move is atomic.
            tempfile.TemporaryDirectory(
                dir=folder, prefix="fetching-", ignore_cleanup_errors=True
            ) as staging,
            tqdm(
                total=sum(jar.size for jar in missing),
                desc="fetching Apache Kafka",
                unit="B",
                unit_scale=True,
                disable=None,
            ) as bar,
        ):
            download = _downloader(Path(staging), repository)
            jobs = [partial(_fetch_one, jar, folder, download) for jar in missing]
            for jar in _at_once(jobs):
                bar.update(jar.size)
    except OSError as error:
        raise _unavailable(f"{folder} cannot be written: {error.strerror or error}") from error
    return folder


def _fetch_one(jar: Jar, folder: Path, download: Callable[[Jar], Path]) -> Jar:
    reason = "it is not the file that was pinned"
    for _ in range(_TRIES):
        try:
            file = download(jar)
        # Every error is reported in the same way; jgo raises errors of many types.
        except Exception as error:  # noqa: BLE001
            reason = str(error) or type(error).__name__
            continue
        if jar.is_whole(file):
            file.replace(folder / jar.name)
            return jar
        file.unlink()
    raise _unavailable(f"{jar.name}: {reason}")


def _downloader(staging: Path, repository: str | None) -> Callable[[Jar], Path]:
    from jgo.maven import MavenContext  # takes half a second

    maven = MavenContext(
        repo_cache=staging,
        remote_repos={"repository": repository} if repository else None,
        timeout=_TIMEOUT_SECONDS,
    )

    def download(jar: Jar) -> Path:
        artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        if artifact.cached_path is not None:  # left by an earlier try
            artifact.cached_path.unlink(missing_ok=True)
        return Path(artifact.resolve())

    return download


def _at_once(jobs: Sequence[Callable[[], Jar]]) -> Iterator[Jar]:
    """Run ``jobs`` in a few threads; yield their results as they finish, raise their errors.

    Without an executor: Python would wait for its threads at exit, and so would Ctrl-C if the
    server does not answer.
    """
    waiting: queue.SimpleQueue[Callable[[], Jar]] = queue.SimpleQueue()
    done: queue.SimpleQueue[Jar | Exception] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)

    def work() -> None:
        try:
            while True:
                done.put(waiting.get_nowait()())
        except queue.Empty:
            pass
        except Exception as error:  # noqa: BLE001 - raised below
            done.put(error)

    for _ in range(_THREADS):
        threading.Thread(target=work, name="fetch", daemon=True).start()
    for _ in jobs:
        result = done.get()
        if isinstance(result, Exception):
            raise result
        yield result


def _unavailable(what: str) -> BrokerError:
    return BrokerError(
        f"Apache Kafka cannot be fetched ({what}): set {JARS_VARIABLE} to a folder that has its "
        "jars, or CATDOG_BROKER to a cluster of your own."
    )
