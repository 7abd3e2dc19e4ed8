"""A bar inside long jobs, where a person watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm


@contextmanager
def progress_bar(description: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Yield a function to call with the number of steps done; on a terminal it moves a bar."""
    with tqdm(total=total, desc=description, unit="step", disable=None) as bar:

        def advance(steps: int) -> None:
            bar.update(steps)

        yield advance
