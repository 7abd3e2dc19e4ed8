"""Limits on what a test may take: a hang or a full memory fails the test, not the machine."""

import resource
import signal
from contextlib import contextmanager


class TookTooLongError(BaseException):
    """Not an ``Exception``, so that no handler under test takes it for one of its own."""


@contextmanager
def at_most(seconds: float, megabytes: int):
    """Bound the processor time of the block, and the memory that it adds to this process."""

    def stop(*_):
        raise TookTooLongError(f"more than {seconds} s of processor time")

    with open("/proc/self/statm") as stream:  # noqa: PTH123
        held = int(stream.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    before = signal.signal(signal.SIGPROF, stop)
    resource.setrlimit(resource.RLIMIT_AS, (held + megabytes * 2**20, hard))
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
