"""``python -m catdog_stream.broker``: downloads Apache Kafka if needed, for ``make``."""

import sys

from catdog_stream.broker.jars import kafka_jars
from catdog_stream.errors import CatDogError

if __name__ == "__main__":
    try:
        kafka_jars()
    except CatDogError as error:
        error.show()
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
