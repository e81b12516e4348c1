"""Refusing inputs of another shape than a network reads."""

from torch import Tensor

from seehear.errors import UsageError


def refuse_shape(name: str, values: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse an input that is not `[B, *shape]`, floating point.

    Raises:
        UsageError: if it is not.
    """
    if tuple(values.shape[1:]) != shape or not values.is_floating_point():
        raise UsageError(
            f"{name} of shape {tuple(values.shape)} and type {values.dtype}",
            expected=f"floating point [B, {', '.join(map(str, shape))}]",
        )
