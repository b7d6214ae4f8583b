"""JSON format of the log, one object per line."""

import json
import logging
from datetime import UTC, datetime

__all__ = ["JsonFormatter"]


class JsonFormatter(logging.Formatter):
    """Formatter that writes each record as one line.

    Untrusted text, including line breaks and escape sequences, stays within its JSON string: all
    characters outside ASCII are escaped.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without a line break."""
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
    """Replace invalid characters, which many JSON parsers refuse."""
    return text.encode("utf-8", "replace").decode()
