"""What the service allows: every limit in one place, with defaults that are safe."""

from dataclasses import dataclass

from seehear.errors import UsageError

MEBIBYTE = 1024 * 1024
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Settings:
    """Limits of the service.

    Attributes:
        token: what every request must bring; None on a loopback address only.
        names: what the header Host may say, without the port; numeric addresses count only with `any_address`.
        any_address: the service listens beyond loopback: Host may be any numeric address (no rebinding has one).
        workers: decoding processes.
        body_bytes: of one upload; any other body may have `field_bytes`.
        fields: of one form, beside its one file.
        field_bytes: of one field of a form.
        header_bytes: of all headers of a request.
        read_seconds: between two pieces of a request.
        total_seconds: for a whole request and its answer.
        decode_seconds: for decoding one upload.
        searches_per_minute: of one token, or of one address where there is no token.
        requests_per_minute: of anything else.
        wrong_tokens_per_minute: of one address.
        most_requests: under way together, of any kind.
        most_hits: k of one search.
        spool_bytes: uploads on the disk together.
        cache_bytes: videos made for the page, on the disk together.
        map_clips: at most so many clips are laid out on the map.
        kept_queries: vectors of uploads kept in memory for further questions.
    """

    token: str | None = None
    names: tuple[str, ...] = ("localhost", "127.0.0.1", "::1")
    any_address: bool = False
    workers: int = 2
    body_bytes: int = 64 * MEBIBYTE
    fields: int = 20
    field_bytes: int = 64 * 1024
    header_bytes: int = 16 * 1024
    read_seconds: float = 15.0
    total_seconds: float = 60.0
    decode_seconds: float = 30.0
    searches_per_minute: int = 120
    requests_per_minute: int = 6000
    wrong_tokens_per_minute: int = 10
    most_requests: int = 64
    most_hits: int = 1000
    spool_bytes: int = 512 * MEBIBYTE
    cache_bytes: int = 256 * MEBIBYTE
    map_clips: int = 2000
    kept_queries: int = 256

    def __post_init__(self) -> None:
        if self.token is not None and len(self.token) < SHORTEST_TOKEN:
            raise UsageError(
                f"a token of {len(self.token)} characters",
                expected=f"at least {SHORTEST_TOKEN}",
                cure='python -c "import secrets; print(secrets.token_urlsafe(24))"',
            )
        if self.any_address and self.token is None:
            raise UsageError(
                "an address that others can reach, without a token",
                cure="give --token-file FILE or set SEEHEAR_TOKEN, or leave --host out to serve this machine only",
            )

    @property
    def searches_at_once(self) -> int:
        """Searches and decodes under way together; one more is told to come again."""
        return 2 * self.workers
