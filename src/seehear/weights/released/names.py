"""Long lists of published names in short: names that differ in one number become one, `blocks.{0-11}.norm1.weight`."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"(?<=\.)\d+(?=\.)")


def folded(names: Iterable[str]) -> list[str]:
    """The names in their order, those alike but for their first number as one.

    >>> folded(["blocks.0.a", "blocks.1.a", "blocks.3.a", "norm.weight"])
    ['blocks.{0-1,3}.a', 'norm.weight']
    """
    groups: dict[str, list[int]] = {}
    for name in names:
        number = _NUMBER.search(name)
        pattern = name if number is None else f"{name[: number.start()]}{{}}{name[number.end() :]}"
        groups.setdefault(pattern, []).extend([] if number is None else [int(number[0])])
    return [_joined(pattern, sorted(numbers)) for pattern, numbers in groups.items()]


def _joined(pattern: str, numbers: list[int]) -> str:
    if len(numbers) < 2:
        return pattern.replace("{}", str(numbers[0]), 1) if numbers else pattern
    stretches: list[list[int]] = []
    for number in numbers:
        if stretches and number <= stretches[-1][1] + 1:
            stretches[-1][1] = number
        else:
            stretches.append([number, number])
    parts = ",".join(str(first) if first == last else f"{first}-{last}" for first, last in stretches)
    return pattern.replace("{}", f"{{{parts}}}", 1)
