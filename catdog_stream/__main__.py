"""Entry point of ``python -m catdog_stream``, the same as ``catdog-stream``."""

import signal

from catdog_stream.terminal import prepare_streams

# Importing the rest takes a second. Until a command handles signals itself, they end the process
# in the default way, and not with a traceback from the middle of an import.
for number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def main() -> None:
    """Run the command line."""
    prepare_streams()
    from catdog_stream.app import main as run

    run()


if __name__ == "__main__":
    main()
