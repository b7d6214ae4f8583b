"""The Faust app: topics, tables, and the command line.

``faust -A catdog_stream.app worker`` and ``catdog-stream worker`` are the same.
"""

import sys
from typing import cast

from catdog_stream.lasting import lasting

with lasting():
    from catdog_stream.application import CatDogApp
    from catdog_stream.errors import SettingError
    from catdog_stream.fixes.committed_table import CommittedTable
    from catdog_stream.settings import Settings
    from catdog_stream.topics import COUNTED, Topics

__all__ = ["app", "foreign_counts", "label_counts", "main", "topics"]


def _app() -> CatDogApp:
    """The app; ends the process with a sentence where a setting cannot be used.

    Faust imports this module before any of its or our code could catch an error.
    """
    try:
        return CatDogApp(Settings.from_environment())
    except SettingError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None


app = _app()

topics = Topics.declare(app, app.settings)


def counts(name: str) -> CommittedTable:
    """A table that counts."""
    table = app.Table(name, key_type=int, partitions=app.settings.partitions, follows=COUNTED[name])
    return cast(CommittedTable, table)


#: Partition of ``catdogimage`` to ``counting.Shard``: how its requests were answered.
label_counts = counts("label_counts")
#: Partition of ``catdoglabel`` to ``counting.Shard``: the labels that other programs wrote into it.
foreign_counts = counts("foreign_counts")


def main() -> None:
    """Run the command line."""
    app.main()
