"""Settings: every environment variable of this project, and the parsers of their values."""

from catdog_stream.settings.settings import ANSWER_OVERHEAD_BYTES, Settings

__all__ = ["ANSWER_OVERHEAD_BYTES", "Settings"]
