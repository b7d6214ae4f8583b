"""Checks of the worker's own machine: its settings, its stack, its web address."""

import socket
from collections.abc import Iterator

from catdog_stream.errors import SettingError, StackError
from catdog_stream.fetching.stores import OpenBucket
from catdog_stream.models.classes import listed
from catdog_stream.models.stacks.locate import stack_directory
from catdog_stream.models.stacks.manifest import load_manifest
from catdog_stream.settings import Settings
from catdog_stream.worker.cluster_checks import Finding, Level
from catdog_stream.worker.loading import ClassifierOfSettings
from catdog_stream.worker.roles import Role

__all__ = ["check_references", "check_settings", "check_stacks", "check_web"]


def check_settings(settings: Settings, role: Role) -> Finding:
    """Return the cluster, the user and the role that the settings name."""
    name = settings.role if role.voter is None else f"{settings.role} {role.voter}"
    return Finding(
        Level.OK,
        "settings",
        f"{settings.cluster.where} by {settings.security.protocol} as {settings.security.user}; "
        f"role {name}, group {role.group}; pictures up to {settings.max_image_bytes:,} bytes.",
    )


def check_stacks(settings: Settings) -> Iterator[Finding]:
    """Yield the classifier, or each stack, that the settings name, after a check of it."""
    if settings.classifier is not None:
        yield _check_classifier(settings)
        return
    for named in settings.voting or (settings.stack,):
        try:
            directory = stack_directory(named)
            manifest = load_manifest(directory)
        except StackError as error:
            yield Finding(Level.ERROR, "stack", error.message)
        else:
            found = f"{manifest.name} {manifest.version} in {directory}"
            yield Finding(Level.OK, "stack", f"{found}: classes {listed(manifest.classes)}.")


def _check_classifier(settings: Settings) -> Finding:
    try:
        classifier = ClassifierOfSettings()(settings)
    except SettingError as error:
        return Finding(Level.ERROR, "stack", error.message)
    found = f"{classifier.name} {classifier.version} by {settings.classifier}"
    classifier.close()
    return Finding(Level.OK, "stack", f"{found}: classes {listed(classifier.classes)}.")


def check_references(settings: Settings) -> Iterator[Finding]:
    """Yield why pictures of a bucket cannot be fetched; nothing if they can, or none are."""
    for bucket in () if settings.fetch is None else settings.fetch.buckets:
        try:
            OpenBucket(bucket)
        except SettingError as error:
            yield Finding(Level.ERROR, "fetch", error.message)


def check_web(host: str, port: int) -> Finding:
    """Return the web address, with a warning if the worker cannot listen on it."""
    address = f"{f'[{host}]' if ':' in host else host}:{port}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return Finding(
            Level.WARNING,
            "web",
            f"Nothing can listen on {address} now ({why}): a worker that runs already may do so, "
            "or --web-port and --web-bind choose another address.",
        )
    return Finding(Level.OK, "web", f"http://{address}/ is free.")
