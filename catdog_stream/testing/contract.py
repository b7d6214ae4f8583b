"""Check of the contract of a classifier, for tests."""

from collections.abc import Sequence

from catdog_stream.models.classifier import Classifier
from catdog_stream.models.contract import check_contract
from catdog_stream.models.picture_classifier import AdaptedClassifier, PictureClassifier

__all__ = ["check_classifier"]


def check_classifier(classifier: Classifier | PictureClassifier, files: Sequence[bytes]) -> None:
    """Raise ``AssertionError`` with a description if ``classifier`` breaks its contract.

    Args:
        classifier: a new classifier, not warmed up. It is closed at the end.
        files: at least two picture files that it can read. They are classified several times.
    """
    if isinstance(classifier, PictureClassifier):
        try:
            classifier = AdaptedClassifier(classifier)
        except ValueError as error:
            raise AssertionError(str(error)) from error
    check_contract(classifier, files)
    classifier.close()
