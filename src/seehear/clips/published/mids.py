"""Classes of a clip as its list writes them, identifiers with commas between, to names."""

from seehear.clips.published.class_list import ClassList
from seehear.errors import DataError


def names_of(text: str, classes: ClassList, where: str) -> tuple[str, ...]:
    """Display names, in the list's order, each once.

    Raises:
        DataError: on none, or on an identifier that the class list does not have; the message names `where`.
    """
    mids = list(dict.fromkeys(part.strip() for part in text.split(",")))
    for mid in mids:
        if mid not in classes.name_of_mid:
            raise DataError(
                f"{where} has the label {mid!r}",
                expected=f"one of the {len(classes.mids)} mids of {classes.source}",
                cause="the class list of another data set",
            )
    return tuple(classes.name_of_mid[mid] for mid in mids)
