"""Fetches Apache Kafka's jars from Maven Central into ``.cache/kafka`` of the checkout."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_CACHE = _HERE.parents[2] / ".cache" / "kafka"
_OLDEST_JAVA = 17
_FETCH_SECONDS = 600


class KafkaUnavailableError(Exception):
    """Java, Maven or Maven Central is missing; the text is one sentence that says which."""


def fetch() -> Path:
    """The folder with the jars that ``pom.xml`` names, fetched unless an earlier call did.

    Raises `KafkaUnavailableError` if they cannot be fetched or could not be run.
    """
    _require_java()
    jars = _CACHE / hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    if not jars.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        # Fetched beside its place and moved there whole: what is in place is complete.
        with tempfile.TemporaryDirectory(dir=_CACHE, prefix="fetch-") as folder:
            _copy_dependencies(Path(folder) / "jars")
            (Path(folder) / "jars").rename(jars)
    return jars


def _copy_dependencies(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise KafkaUnavailableError("Apache Kafka cannot be fetched: Maven (mvn) is not installed")
    maven = subprocess.run(
        [
            *("mvn", "--batch-mode", "--quiet", "--no-transfer-progress", "-Dstyle.color=never"),
            *("--file", str(_POM), "dependency:copy-dependencies"),
            *("-DincludeScope=runtime", f"-DoutputDirectory={folder}"),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_FETCH_SECONDS,
        check=False,
    )
    if maven.returncode != 0:
        error = re.search(r"\[ERROR\] +(\S.*)", maven.stdout)
        reason = error[1] if error else f"status {maven.returncode}"
        raise KafkaUnavailableError(f"Apache Kafka cannot be fetched from Maven Central: {reason}")


def _require_java() -> None:
    if shutil.which("java") is None:
        raise KafkaUnavailableError("Apache Kafka cannot be run: Java is not installed")
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    version = re.search(r'version "(\d+)', java.stderr)
    if version is None or int(version[1]) < _OLDEST_JAVA:
        found = java.stderr.splitlines()[0] if java.stderr else "an unknown version"
        raise KafkaUnavailableError(
            f"Apache Kafka cannot be run: it needs Java {_OLDEST_JAVA} or newer, here is {found}"
        )
