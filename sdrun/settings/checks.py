"""Checks that name the key."""

from sdrun.errors import require


def require_range(key: str, value: float | None, low: float, high: float = float("inf")) -> None:
    """Raise InputError unless ``low <= value <= high``; None passes."""
    if value is not None:
        bounds = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        require(low <= value <= high, key, f"must be {bounds}, but is {value:g}")


def require_positive(key: str, value: float | None) -> None:
    """Raise InputError unless ``value > 0``; None passes."""
    if value is not None:
        require(value > 0, key, f"must be above 0, but is {value:g}")
