"""What a sweeper of sdrun's is told in ``hydra.sweeper``, as an object of a type."""

from typing import Any, TypeVar

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from sdrun.errors import InputError, require

KEY = "hydra.sweeper"

T = TypeVar("T")


def declared(kind: type[T], values: dict[str, Any]) -> T:
    """Raises InputError where these values are not of the types of ``kind``, or do not hold together."""
    try:
        one = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(kind), values))
    except OmegaConfBaseException as error:
        raise InputError(f"{KEY}.{error.full_key}: {str(error).splitlines()[0]}") from error
    assert isinstance(one, kind)
    return one


def require_lengths(lengths: list[float]) -> None:
    """Raise InputError unless these are lengths of trainings, by which trials go on."""
    is_rising = bool(lengths) and sorted(set(lengths)) == lengths and lengths[0] > 0
    require(is_rising, f"{KEY}.lengths", "needs multiples above 0, each longer than the one before")
