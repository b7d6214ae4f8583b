"""The Faust app: topics, tables and the command line.

``faust -A catdog_stream.app worker`` and ``catdog-stream worker`` are the same.
"""

import os
import sys
from typing import NoReturn, cast

from catdog_stream.errors import SettingError
from catdog_stream.terminal import shown
from catdog_stream.worker.gc_tuning import keep_out_of_gc
from catdog_stream.worker.preflight import check, normalize

try:
    check(os.environ)
    normalize(os.environ)
except SettingError as error:
    print(error.format_message(), file=sys.stderr)
    raise SystemExit(error.exit_code) from None

with keep_out_of_gc():
    from catdog_stream.delivery.committed_table import CommittedTable
    from catdog_stream.settings import Settings
    from catdog_stream.topics import COUNTED, Topics
    from catdog_stream.web.server import Web
    from catdog_stream.worker.application import CatDogApp

__all__ = ["app", "label_counts", "main", "tables", "topics"]


def _app() -> CatDogApp:
    """Return the app; end the process with one sentence if a setting cannot be used.

    Faust imports this module before any code could catch an error.
    """
    try:
        return CatDogApp(Settings.from_environment(), web=Web)
    except SettingError as error:
        print(error.format_message(), file=sys.stderr)
        raise SystemExit(error.exit_code) from None


app = _app()

topics = Topics.declare(app, app.settings)


def counts(name: str) -> CommittedTable:
    """Declare the table of counts ``name``."""
    follows = app.role.counted[name]
    table = app.Table(
        name,
        key_type=int,
        partitions=app.settings.partitions,
        follows=follows,
        counts=COUNTED[name],
    )
    return cast(CommittedTable, table)


tables = {name: counts(name) for name in app.role.counted}
#: Partition of ``catdogimage`` to ``counting.Shard``: the counts of its answers.
label_counts = tables["label_counts"]


def main() -> NoReturn:
    """Run the command line and exit at once, without waiting for threads that are still running."""
    try:
        app.main()
    except OSError as error:  # a full disk, a closed terminal
        about = f"{error.filename}: " if error.filename else ""
        print(shown(f"Error: {about}{error.strerror or error}."), file=sys.stderr)
        code = 1
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        code = code or 1
    os._exit(code)
