"""Least rights of each role, as docs/security.md lists them, and a function that grants them."""

import re
from collections.abc import Iterable
from pathlib import Path

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
_ROW = re.compile(
    r"\| (?P<who>[a-z A-Z]+) \| (?P<kind>topic|group) `(?P<name>.+?)` \| (?P<rights>.+?) \|"
)
SECONDS = 60

Right = tuple[str, str, str]


def documented(who: str, name: str = "NAME") -> set[Right]:
    """Return the rights of ``who``: kind of resource, its name, and the right.

    ``name`` stands for ``NAME`` in the table.
    """
    rows = [row for line in DOCUMENT.read_text().splitlines() if (row := _ROW.match(line))]
    return {
        (row["kind"], row["name"].replace("NAME", name), right)
        for row in rows
        if row["who"] == who
        for right in row["rights"].split(", ")
    }


def grant(address: str, user: str, rights: Iterable[Right]) -> None:
    """Give ``user`` the rights, through a listener where everything is allowed."""
    bindings = [
        AclBinding(
            ResourceType[kind.upper()],
            name,
            ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            AclOperation[right.upper()],
            AclPermissionType.ALLOW,
        )
        for kind, name, right in rights
    ]
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_acls(bindings).values():
        done.result(SECONDS)
