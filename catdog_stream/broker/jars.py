"""Apache Kafka's program: the jars that ``jars.txt`` pins, fetched once from Maven Central.

They are kept in the user's cache folder, for every checkout and environment. A file is put in its
place whole and checked; one that is found damaged there is fetched once more. No dependency is
resolved: what is not pinned is not fetched.
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

#: Names a folder with the jars of a Kafka server, such as ``libs`` of Kafka's own archive.
JARS_VARIABLE = "CATDOG_KAFKA_JARS"

_THREADS = 8
_TIMEOUT_SECONDS = 30  # without a byte
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Jar:
    """One pinned file."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Its file name."""
        return f"{self.artifact}-{self.version}.jar"

    def is_whole(self, file: Path) -> bool:
        """Whether ``file`` is there and is what was pinned."""
        try:
            with file.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


def pinned() -> list[Jar]:
    """What a server needs, as ``jars.txt`` beside this file lists it."""
    lines = Path(__file__).with_name("jars.txt").read_text("utf-8").splitlines()
    jars = []
    for line in lines:
        if not line.startswith("#"):
            coordinates, size, sha256 = line.split()
            group, artifact, version = coordinates.split(":")
            jars.append(Jar(group, artifact, version, int(size), sha256))
    return jars


def cache() -> Path:
    """The folder that the jars are kept in."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "catdog_stream" / f"kafka-{KAFKA_VERSION}"


def kafka_jars() -> Path:
    """A folder with the jars of a Kafka server: the user's own, or the cache, filled if need be.

    Raises:
        BrokerError: it holds no Kafka, or Kafka cannot be fetched.
    """
    own = os.environ.get(JARS_VARIABLE, "").strip()
    if not own:
        return fetch(cache(), pinned())
    if not any(Path(own).glob("kafka_*.jar")):
        raise BrokerError(f"{JARS_VARIABLE}={own!r} holds no Kafka server (no kafka_*.jar).")
    return Path(own).resolve()


def fetch(folder: Path, jars: Sequence[Jar], *, repository: str | None = None) -> Path:
    """Fetch those of ``jars`` that are not whole in ``folder``; returns ``folder``.

    Args:
        folder: where they are kept; made if it is missing.
        jars: what has to be there.
        repository: address of a Maven repository in place of Maven Central.

    Raises:
        BrokerError: one cannot be fetched, or is not what was pinned, at the second try too.
    """
    missing = [jar for jar in jars if not jar.is_whole(folder / jar.name)]
    if not missing:
        return folder
    require_extra()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            # Beside the jars' place, so that moving a file there is one step.
            tempfile.TemporaryDirectory(
                dir=folder, prefix="fetching-", ignore_cleanup_errors=True
            ) as staging,
            tqdm(
                total=sum(jar.size for jar in missing),
                desc=f"fetching Apache Kafka {KAFKA_VERSION}",
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
        # Whatever goes wrong out there, the answer is the same; jgo raises what it meets.
        except Exception as error:  # noqa: BLE001
            reason = str(error) or type(error).__name__
            continue
        if jar.is_whole(file):
            file.replace(folder / jar.name)
            return jar
        file.unlink()
    raise _unavailable(f"{jar.name}: {reason}")


def _downloader(staging: Path, repository: str | None) -> Callable[[Jar], Path]:
    from jgo.maven import MavenContext  # half a second

    maven = MavenContext(
        repo_cache=staging,
        remote_repos={"repository": repository} if repository else None,
        timeout=_TIMEOUT_SECONDS,
    )

    def download(jar: Jar) -> Path:
        artifact = maven.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        if artifact.cached_path is not None:  # what a try before this one left behind
            artifact.cached_path.unlink(missing_ok=True)
        return Path(artifact.resolve())

    return download


def _at_once(jobs: Sequence[Callable[[], Jar]]) -> Iterator[Jar]:
    """Run ``jobs`` in a few threads; yields their results as they come, raises what one raises.

    Not in an executor: Python's end would wait for its threads, and so would Ctrl-C for a server
    that does not answer.
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
