"""What is declared about one released file."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Source:
    """One released file, as its authors declare it.

    Attributes:
        name: by which it is fetched here.
        layout: as what it is read; "mavil" is named for completeness and has no adapter.
        what: network, data and training, in short.
        page: where its authors publish it.
        licence: as they state it, for the weights or for their repository.
        url: of the file itself; "" where it must be fetched by hand from the page.
        size: bytes; None: not stated.
        digest: "sha256:" or "md5:" and as many leading digits as are stated; "" where none are.
        options: of the layout's adapter that this file needs.
        note: what one should know.
        evidence: where the above was read, where it is not the page.
    """

    name: str
    layout: str
    what: str
    page: str
    licence: str
    url: str = ""
    size: int | None = None
    digest: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    evidence: str = ""

    @property
    def filename(self) -> str:
        """Name on disk: several authors call different files alike, so it is the source's own name."""
        suffix = self.url.rpartition("/")[2].partition("?")[0].rpartition(".")[2]
        return f"{self.name}.{suffix or 'pth'}"
