"""Shadow's process for a Python class: ``python -m catdog_stream.worker.shadow_class SOCKET``.

The process of a stack needs no settings, and so neither Faust nor a Kafka client.
"""

from catdog_stream.models import python_classifier
from catdog_stream.models.classifier import Classifier
from catdog_stream.pipeline.shadow.process import Assignment, main
from catdog_stream.settings import Settings


def load_class(assignment: Assignment) -> Classifier:
    """Load the class that the assignment names. Raises ``SettingError``."""
    return python_classifier.load(
        assignment.model,
        Settings.from_environment(),
        limits=assignment.limits,
        batch=assignment.batch,
    )


if __name__ == "__main__":
    main(load_class)
