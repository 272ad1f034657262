"""A second network that learns from a first one.

Paper: none.
Idea: born-again networks of two generations, as short as can be.
Asymmetry: older weights.
Watch for: it is there for the tests.
"""

from dataclasses import dataclass

from sdrun.settings import MethodSettings


@dataclass
class ToySettings(MethodSettings):
    """``alpha``: weight of the first one's answers."""

    alpha: float

    @property
    def roles(self) -> tuple[str, ...]:
        return ("weak",)

    @property
    def stages(self) -> tuple[str, ...]:
        return ("first", "second")
