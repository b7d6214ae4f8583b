"""The log as JSON, one object on each line."""

import json
import logging
from datetime import UTC, datetime

__all__ = ["JsonFormatter"]


class JsonFormatter(logging.Formatter):
    """Writes a record as one line, whatever is in it.

    What a stranger wrote, line breaks and escape sequences included, stays within its text:
    everything that is not ASCII is escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "time": time.removesuffix("+00:00") + "Z",
            "level": record.levelname,
            "logger": record.name,
            "message": _text(record.getMessage()),
        }
        if (source := getattr(record, "source", None)) is not None:
            line["source"] = _text(str(source))
        if record.exc_info:
            line["exception"] = _text(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = _text(self.formatStack(record.stack_info))
        return json.dumps(line)


def _text(text: str) -> str:
    """Without what is no character: many who read JSON refuse it."""
    return text.encode("utf-8", "replace").decode()
