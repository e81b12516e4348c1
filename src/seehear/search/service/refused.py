"""What a client is told when it does not get what it asked for: a code, what was wrong, and never a path or a trace."""

from dataclasses import dataclass, field

from seehear.errors import MediaError, SeeHearError, SkipReason

_CODES = {
    SkipReason.EMPTY: "empty-file",
    SkipReason.NOT_MEDIA: "not-media",
    SkipReason.UNREADABLE: "unreadable",
    SkipReason.TRUNCATED: "damaged",
    SkipReason.NO_AUDIO: "no-sound",
    SkipReason.NO_VIDEO: "no-picture",
    SkipReason.UNSUPPORTED: "unsupported",
    SkipReason.OVER_LIMIT: "over-limit",
    SkipReason.TIMED_OUT: "took-too-long",
    SkipReason.CRASHED: "decoder-crashed",
    SkipReason.OUT_OF_RANGE: "nothing-there",
}


@dataclass
class RefusedError(Exception):
    """A request that is not answered.

    Attributes:
        status: of HTTP.
        code: for machines; it does not change between versions.
        found: what was found, for people.
        expected: what was expected.
        cure: what to do.
        headers: more headers of the answer.
    """

    status: int
    code: str
    found: str
    expected: str = ""
    cure: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.found)

    def document(self, request_id: str) -> dict[str, dict[str, str]]:
        """The answer's body."""
        parts = {"code": self.code, "found": self.found, "expected": self.expected, "cure": self.cure}
        return {"error": {name: text for name, text in parts.items() if text} | {"request_id": request_id}}


def too_many(code: str, found: str, seconds: float) -> RefusedError:
    """429: the same request may be sent again after so many seconds."""
    wait = max(1, round(seconds))
    return RefusedError(429, code, found, cure=f"try again in {wait} s", headers={"Retry-After": str(wait)})


def as_refused(error: SeeHearError, upload: str = "") -> RefusedError:
    """An error of this package as a client may see it: what could name a path of this machine stays here.

    Args:
        error: what was raised.
        upload: where the client's own file lay, to be called "the file".
    """
    if isinstance(error, MediaError):
        code, found = _CODES[error.reason], f"{error.reason.value}: {_tellable(error.detail, upload)}"
        return RefusedError(422, code, found, _tellable(error.expected, upload))
    if error.exit_status in (2, 3):
        found, expected, cure = (_tellable(text, upload) for text in (error.found, error.expected, error.cure))
        return RefusedError(422, "cannot-be-done", found, expected, "" if "--" in cure else cure)
    cure = "see what the service printed where it was started"
    return RefusedError(503, "storage", "the collection or its model could not be read", cure=cure)


def _tellable(text: str, upload: str) -> str:
    told = text.replace(upload, "the file") if upload else text
    return told if "/" not in told and "\\" not in told else "details stay with the service"
