import pytest
from labs import unplugged


@pytest.fixture(autouse=True)
def _unplugged():
    """What a test loads is undone."""
    with unplugged():
        yield
