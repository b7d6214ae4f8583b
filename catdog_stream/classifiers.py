"""Public base class and interface of a Python classifier, which ``CATDOG_CLASSIFIER`` names.

docs/classifiers.md explains both.
"""

from catdog_stream.models.classifier import Classifier
from catdog_stream.models.picture_classifier import PictureClassifier

__all__ = ["Classifier", "PictureClassifier"]
