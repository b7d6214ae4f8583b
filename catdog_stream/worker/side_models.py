"""Canary and shadow beside the serving classifier, as the settings say."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from catdog_stream.errors import StackError
from catdog_stream.models.classifier import Classifier
from catdog_stream.models.stacks.repository import Repository, StackId, shipped
from catdog_stream.pipeline.sampling import Sample
from catdog_stream.pipeline.shadow.process import Assignment
from catdog_stream.pipeline.shadow.watching import STACK_PROCESS, Shadow
from catdog_stream.settings import Settings
from catdog_stream.settings.values import is_factory
from catdog_stream.worker.loading import ClassifierOfSettings, load_stack

__all__ = ["canary_sample", "named_loader", "shadow_of"]

#: A shadow has the lowest priority: its timeout is this multiple of the serving model's.
SHADOW_PATIENCE = 6
#: Module that the process of a shadow runs if it is a Python class.
CLASS_PROCESS = "catdog_stream.worker.shadow_class"


def directory_of(settings: Settings, text: str) -> Path:
    """Return the directory of a stack: ``NAME/VERSION``, or a directory.

    The stack is in ``CATDOG_STACKS``, or comes with the project.

    Raises:
        StackError: the text names neither.
    """
    if settings.stacks is not None:
        try:
            return Repository(settings.stacks).directory(StackId.parse(text))
        except StackError:
            if not Path(text).is_dir():
                raise
    directory = Path(text)
    if not directory.is_dir():
        for stack, ours in shipped().items():
            if str(stack) == text:
                return ours
        raise StackError(f"There is no model stack at {directory}.")
    return directory.resolve()


def canary_sample(settings: Settings) -> Sample:
    """Return the sample of requests that the canary answers."""
    return Sample(b"canary", settings.canary_share)


def named_loader(name: str) -> Callable[[Settings], Classifier]:
    """Return the loader of a classifier by its name, as ``CATDOG_CANARY`` has it.

    It checks the golden pictures of a stack, and the contract of the first one of a Python class.
    It raises ``StackError`` or ``SettingError`` if the classifier cannot be used.

    Args:
        name: ``NAME/VERSION`` in ``CATDOG_STACKS``, a directory, or ``package.module:factory``.
    """
    load_class = ClassifierOfSettings()

    def load(settings: Settings) -> Classifier:
        if is_factory(name):
            return load_class(replace(settings, classifier=name))
        return _load_checked(settings, name)

    return load


def _load_checked(settings: Settings, name: str) -> Classifier:
    directory = directory_of(settings, name)
    stack = load_stack(replace(settings, stack=directory))
    try:
        stack.check_golden(directory)
    except StackError:
        stack.close()
        raise
    return stack


def shadow_of(settings: Settings) -> Shadow:
    """Return the shadow, which the caller starts and stops."""
    is_class = settings.shadow is not None and is_factory(settings.shadow)

    def assign() -> Assignment:
        assert settings.shadow is not None
        return Assignment(
            model=settings.shadow if is_class else str(directory_of(settings, settings.shadow)),
            engine=settings.engine,
            batch=settings.batch,
            max_bytes=settings.max_image_bytes,
            max_pixels=settings.max_image_pixels,
            folder=None if settings.shadow_folder is None else str(settings.shadow_folder),
            turned_copies=settings.turned_copies,
            onnx_provider=settings.onnx_provider,
        )

    return Shadow(
        Sample(b"shadow", settings.shadow_share),
        assign,
        patience=SHADOW_PATIENCE * settings.inference_timeout,
        module=CLASS_PROCESS if is_class else STACK_PROCESS,
    )
