"""What is particular to noida-db: its binary, and what it says when it cannot start."""

import subprocess
from pathlib import Path

from catdog_stream.broker import noida


def test_a_binary_without_execute_bit_is_copied_and_left_as_it_is(tmp_path: Path) -> None:
    binary = tmp_path / "server"
    binary.write_text("#!/bin/sh\necho runs\n")
    binary.chmod(0o644)
    (tmp_path / "data").mkdir()

    copy = noida.ensure_executable(binary, tmp_path / "data")

    assert copy.parent == tmp_path / "data"
    assert subprocess.check_output([copy]) == b"runs\n"
    assert binary.stat().st_mode & 0o777 == 0o644


def test_an_executable_binary_is_used_where_it_is(tmp_path: Path) -> None:
    binary = tmp_path / "server"
    binary.write_text("#!/bin/sh\n")
    binary.chmod(0o755)

    assert noida.ensure_executable(binary, tmp_path) == binary


def test_an_old_c_library_is_named_as_the_reason() -> None:
    log = "noida-db: /lib/libc.so.6: version `GLIBC_2.34' not found (required by noida-db)\n"

    assert "needs glibc 2.34 or newer" in str(noida.explain(log))


def test_the_warning_of_a_weak_symbol_is_no_reason() -> None:
    log = "noida-db: /lib/libc.so.6: weak version `GLIBC_2.39' not found (required by noida-db)\n"

    assert noida.explain(log) is None
