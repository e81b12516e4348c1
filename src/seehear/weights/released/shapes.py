"""Refusing inputs and masks of another shape than a network reads."""

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


def refuse_mask(name: str, mask: Tensor, patches: Tensor) -> None:
    """Refuse a mask that is not `[B, N]` beside `patches [B, N, V]`, or that removes none or all of a clip's.

    Raises:
        UsageError: if it is such a mask.
    """
    if mask.shape != patches.shape[:2]:
        raise UsageError(
            f"{name} mask of shape {tuple(mask.shape)}", expected=f"one entry per patch, {tuple(patches.shape[:2])}"
        )
    removed = (mask != 0).sum(dim=1)
    if int(removed.min()) == 0 or int(removed.max()) == mask.shape[1]:
        raise UsageError(
            f"{name} mask that removes {int(removed.min())} to {int(removed.max())} of {mask.shape[1]} patches",
            expected="some of every clip, and never all",
        )
