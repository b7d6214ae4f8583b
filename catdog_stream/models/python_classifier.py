"""Loading of the Python classifier that a setting names: ``package.module:factory``."""

import importlib
import inspect
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catdog_stream.errors import SettingError, StackError
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.contract import check_contract, described
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
    made = _made(named, _factory(named), settings)
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


def _factory(named: str) -> Callable[..., Any]:
    module_name, _, attribute = named.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise _unusable(
                named, f"there is no module {error.name} in {folder} or installed", error
            ) from error
        raise _unusable(named, described(error), error) from error
    except (Exception, SystemExit) as error:
        raise _unusable(named, described(error), error) from error
    if not callable(found):
        raise _unusable(named, f"it is {type(found).__name__}, and no class or function")
    return found  # type: ignore[no-any-return]


def _made(named: str, factory: Callable[..., Any], settings: object) -> Any:
    try:
        return factory(settings) if _takes_settings(factory) else factory()
    except (Exception, SystemExit) as error:
        raise _unusable(named, described(error), error) from error


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
