"""`seehear serve`: a page on which a table is searched, on this machine or, with a token, for others."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from seehear.cli.console import Console
from seehear.cli.options import Positional, named, parse
from seehear.errors import UsageError

if TYPE_CHECKING:
    from seehear.search.searching import Searcher
    from seehear.search.service.settings import Settings

TOKEN = "SEEHEAR_TOKEN"
EXAMPLES = (
    "seehear serve clips.lance",
    "seehear serve clips.lance --port 0 --open",
    "seehear serve clips.lance --host 0.0.0.0 --token-file token.txt --name search.example.org",
)


@dataclass(frozen=True)
class Options:
    """Serve a page on which an embedded table is searched by sound, picture or clip.

    The table is opened at its present version and never written to. Without more options only this machine can reach
    the page. For any other address a token is required, from --token-file or the environment variable SEEHEAR_TOKEN;
    the page asks for it. Ctrl-C ends the service in order.
    """

    table: Annotated[Positional[str], named("TABLE")]
    """a table that `seehear embed` has embedded"""
    model: str | None = None
    """whose vectors, where several models have embedded the table"""
    host: str = "127.0.0.1"
    """address to listen on; 0.0.0.0 for all of this machine's"""
    port: int = 8765
    """port to listen on; 0 takes a free one"""
    token_file: Path | None = None
    """a file that holds the token; by default the environment variable SEEHEAR_TOKEN, if set"""
    name: tuple[str, ...] = ()
    """further names under which the service is reached, as behind a proxy"""
    workers: int | None = None
    """decoding processes; by default 2, or 1 on a single core. Twice as many searches run together"""
    open: bool = False
    """open the page in the browser"""


def run(arguments: Sequence[str], console: Console) -> None:
    """Serve until told to stop; the one JSON document is printed when the page can be opened."""
    options = parse(Options, arguments, "serve", EXAMPLES)
    settings = _settings(options)
    from seehear.search.searching import Searcher
    from seehear.search.service.app import App
    from seehear.search.service.server import Server, listen

    searcher = Searcher(options.table, options.model)
    with listen(options.host, options.port) as listening:
        url = _url(options.host, int(listening.getsockname()[1]))
        server = Server(App(searcher, settings), ready=lambda: _say(url, searcher, settings, options, console))
        server.run(sockets=[listening])
    console.line("the service has ended")


def _settings(options: Options) -> "Settings":
    from seehear.media.pool import available_cores
    from seehear.search.service.hosts import is_loopback, own_names
    from seehear.search.service.settings import Settings

    beyond, token = not is_loopback(options.host), _token(options.token_file)
    if options.workers is not None and options.workers < 1:
        raise UsageError(f"--workers is {options.workers}", expected="at least 1")
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port is {options.port}", expected="0 to 65535")
    names = (*Settings.names, *(name.lower() for name in options.name), *(own_names() if beyond else ()))
    return Settings(token, names, any_address=beyond, workers=options.workers or min(2, available_cores()))


def _token(path: Path | None) -> str | None:
    if path is None:
        return os.environ.get(TOKEN) or None
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    if not text or not text.isascii() or len(text.split()) != 1:
        raise UsageError(f"{path} holds no token", expected="one word of plain letters and digits")
    return text


def _url(host: str, port: int) -> str:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{shown}]:{port}/" if ":" in shown else f"http://{shown}:{port}/"


def _say(url: str, searcher: "Searcher", settings: "Settings", options: Options, console: Console) -> None:
    about = searcher.about
    console.line(
        f"{len(searcher.table)} clips of {searcher.table.uri}, version {searcher.table.version}, by {about.model}"
    )
    if about.knows:
        console.line(about.knows)
    console.line(f"open {url}  (Ctrl-C ends the service)")
    if settings.any_address:
        console.note("the token travels in the clear: put a proxy with TLS in front where the network is not yours")
    facts = {"url": url, "table": searcher.table.uri, "version": searcher.table.version, "clips": len(searcher.table)}
    facts |= {"model": about.model, "modalities": searcher.modalities, "knows": about.knows}
    console.document(facts | {"token": settings.token is not None})
    sys.stdout.flush()
    if options.open:
        import webbrowser

        webbrowser.open(url)
