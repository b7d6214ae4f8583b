"""The worker process: how it ends."""

import asyncio
import sys
from typing import NoReturn

import faust

from catdog_stream.errors import CatDogError

__all__ = ["Worker"]


class Worker(faust.Worker):
    """Faust's worker, which ends with a sentence where the user can help, not with a traceback."""

    def execute_from_commandline(self) -> NoReturn:
        """Run until stopped; exits with 0, or with another code if it could not go on."""
        reason: BaseException | None = None
        starting = self._starting_fut = asyncio.ensure_future(self.start(), loop=self.loop)
        try:
            self.loop.run_until_complete(starting)
        except asyncio.CancelledError:
            pass  # a signal stopped it
        except Exception as error:  # noqa: BLE001 - told below, with the exit code
            reason = error
        try:
            starting.cancel()
            self.on_worker_shutdown()
            self.stop_and_shutdown()
        except Exception as error:  # noqa: BLE001 - what a service crashed with comes up again
            reason = reason or error
        if reason is None:
            sys.exit(0)
        if isinstance(reason, CatDogError):
            reason.show()
            sys.exit(reason.exit_code)
        self.log.critical("The worker cannot go on: %r", reason, exc_info=reason)
        sys.exit(1)
