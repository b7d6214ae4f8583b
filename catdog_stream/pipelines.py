"""Apps for further agents: what to get right around a Faust agent is got right here.

::

    app = PipelineApp("cats")
    labels = app.raw_topic("catdoglabel")
"""

from collections.abc import Iterable
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import ServiceT

from catdog_stream.settings import Settings
from catdog_stream.topics import topic_configs
from catdog_stream.worker.stream_app import StreamApp

__all__ = ["PipelineApp"]


class _WithoutWeb(BootStrategy):
    """Faust would serve its own pages to the whole network."""

    def web_server(self) -> Iterable[ServiceT]:
        return ()


class PipelineApp(StreamApp):
    """A Faust app of one's own beside this one, on the same cluster.

    It takes ``CATDOG_BROKER`` and the settings of security from the environment, reads records as
    large as they come, from the earliest on, skips none at a restart, serves no web pages, and
    ends with exit code 1 when an agent fails, with what the agent failed on still to be read.

    Args:
        name: its id, and that of its consumer group: one for each app.
        settings: in place of the environment's.
        options: Faust's own settings.
    """

    BootStrategy = _WithoutWeb

    def __init__(self, name: str, settings: Settings | None = None, **options: Any) -> None:
        super().__init__(name, settings or Settings.from_environment(), **options)

    def raw_topic(self, name: str) -> faust.TopicT:
        """A topic of bytes, made before the first record goes in where it is missing.

        Nothing in it can end an agent: what is read is parsed by the agent itself.
        """
        return self.topic(
            name,
            key_type=bytes,
            value_type=bytes,
            key_serializer="raw",
            value_serializer="raw",
            allow_empty=True,
            internal=True,
            config=topic_configs(self.settings.cluster).get(name, {}),
        )
