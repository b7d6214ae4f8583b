"""Launcher that replaces itself with a program that ends with its parent process.

Run as ``python child.py PARENT_PID PROGRAM [ARGUMENT...]``. On Linux, the kernel sends SIGTERM
when the parent dies for any reason; this setting survives the ``exec``. Setting it here, and not in
``subprocess``'s ``preexec_fn``, lets the parent have threads. Other systems have no such setting:
there, a parent that is killed leaves the program running.

The file imports nothing of this package, so it starts as fast as a bare interpreter.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Replace this process with the program that the arguments name."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the setting took effect
            sys.exit(1)
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.exit(f"error: {program[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
