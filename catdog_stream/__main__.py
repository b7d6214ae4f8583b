"""``python -m catdog_stream`` is ``catdog-stream``."""

from catdog_stream.app import main

if __name__ == "__main__":
    main()
