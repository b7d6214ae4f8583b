"""Loading of the Python classifier that a setting names: ``package.module:factory``."""

import inspect
import logging
from collections.abc import Callable
from typing import Any

from catdog_stream.errors import SettingError, StackError
from catdog_stream.factories import called, find
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.contract import check_contract
from catdog_stream.models.picture_classifier import AdaptedClassifier, PictureClassifier
from catdog_stream.models.pictures import PictureLimits
from catdog_stream.models.stacks.locate import samples

__all__ = ["check", "load"]

logger = logging.getLogger(__name__)

#: Members of a classifier that is no ``PictureClassifier``.
_MEMBERS = ("name", "version", "engine", "classes", "batch_size", "on_gpu")
_METHODS = ("prepare", "classify", "warm_up", "close")


def load(
    named: str, settings: object, *, limits: PictureLimits, batch: int | None = None
) -> Classifier:
    """Return a new classifier from the factory ``named``.

    Args:
        named: ``package.module:factory``. The current folder is importable.
        settings: passed to a factory that takes an argument.
        limits: size limits of a picture.
        batch: number of pictures in one call; by default, the classifier decides.

    Raises:
        SettingError: there is no such factory, it fails, or it returns no classifier.
    """
    made = _made(named, settings)
    if isinstance(made, PictureClassifier):
        try:
            return AdaptedClassifier(made, limits=limits, batch=batch)
        except Exception as error:
            raise _unusable(named, str(error), error) from error
    missing = [name for name in (*_MEMBERS, *_METHODS) if not hasattr(made, name)]
    if missing:
        raise _unusable(
            named,
            f"it returned {type(made).__name__} without {', '.join(missing)}: return a "
            "catdog_stream.classifiers.PictureClassifier",
        )
    return made  # type: ignore[no-any-return]


def check(named: str, classifier: Classifier) -> None:
    """Raise ``SettingError`` if a classifier from the factory ``named`` breaks its contract."""
    try:
        files = [file.read_bytes() for file in sorted(samples().glob("*-*"))]
    except StackError as error:
        raise _unusable(named, f"it cannot be checked: {error}", error) from error
    try:
        check_contract(classifier, files)
    except AssertionError as error:
        raise _unusable(named, str(error), error) from error


def _made(named: str, settings: object) -> Any:
    try:
        factory = find(named)
        return called(factory, *([settings] if _takes_settings(factory) else []))
    except ValueError as error:
        raise _unusable(named, str(error), error) from error


def _takes_settings(factory: Callable[..., Any]) -> bool:
    """Return true if ``factory`` must be called with an argument."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # some built-in types have no signature
        return False
    return any(
        each.default is each.empty
        and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
    )


def _unusable(named: str, reason: str, error: BaseException | None = None) -> SettingError:
    logger.debug("The classifier %s failed.", named, exc_info=error)
    return SettingError(f"The classifier {named!r} cannot be used: {reason}.")
