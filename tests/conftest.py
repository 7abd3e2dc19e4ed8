import sys

import pytest


@pytest.fixture(autouse=True)
def denormal_numbers():
    """Undo what training sets for its whole process: denormal numbers count as zero."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
