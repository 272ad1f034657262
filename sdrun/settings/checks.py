"""Checks that name the key."""

from sdrun.errors import require

ROLES = ("weak", "strong", "global", "local")
"""What augmented views are for."""

CLEAN = "clean"
"""The view without augmentation."""

AUTO = "auto"
"""The value of a setting that ``MethodSettings.resolved`` finds."""


TEST_SHARE = 0.2
"""Of items of one's own that are tested on, where nothing says which."""


def require_test_share(share: float | None) -> None:
    """Raise InputError unless it leaves something on both sides; None passes."""
    if share is not None:
        require(0 < share < 1, "dataset.test_share", f"must be between 0 and 1, but is {share}")


def require_range(key: str, value: float | None, low: float, high: float = float("inf")) -> None:
    """Raise InputError unless ``low <= value <= high``; None passes."""
    if value is not None:
        bounds = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        require(low <= value <= high, key, f"must be {bounds}, but is {value:g}")


def require_range_or_auto(key: str, value: float | str, low: float, high: float = float("inf")) -> None:
    """Raise InputError unless the value is ``auto`` or a number in the range."""
    if not isinstance(value, str):
        require_range(key, value, low, high)
    else:
        require(value == AUTO, key, f"is {value!r}, but needs a number or {AUTO}")


def require_interval(key: str, values: list[float]) -> tuple[float, float]:
    """The two ends. Raises InputError unless ``values`` are a lower and an upper one."""
    require(len(values) == 2 and values[0] <= values[1], key, "needs a lower and an upper end, such as [0.2,0.5]")
    return values[0], values[1]


def require_positive(key: str, value: float | None) -> None:
    """Raise InputError unless ``value > 0``; None passes."""
    if value is not None:
        require(value > 0, key, f"must be above 0, but is {value:g}")


def require_view(key: str, role: str) -> None:
    """Raise InputError unless ``role`` is that of a view."""
    views = (CLEAN, *ROLES)
    require(role in views, key, f"is {role!r}, but the views are {', '.join(views)}")
