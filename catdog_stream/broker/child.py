"""Becomes another program that cannot outlive the process that started it.

Run as ``python child.py PARENT_PID PROGRAM [ARGUMENT...]``. On Linux the kernel is asked to send
SIGTERM when the parent dies, however it dies; the request survives the ``exec``. Setting it here
rather than in ``subprocess``'s ``preexec_fn`` keeps the parent free to have threads. Other systems
have no such request: there a parent that is killed outright leaves the program running.

The file imports nothing of this package, so that it costs a bare interpreter's start.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was in place
            sys.exit(1)
    try:
        os.execv(program[0], program)
    except OSError as error:
        sys.exit(f"error: {program[0]} cannot be run: {error.strerror}")


if __name__ == "__main__":
    main()
