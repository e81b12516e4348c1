"""The files of the page: read once, served by name, and nothing else that lies beside them."""

from functools import cache
from pathlib import Path

from seehear.reports.style import DARK_THEME, LIGHT_THEME

_TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_PAGES = {"/": "index.html", "/docs": "docs.html"}
_FOLDER = Path(__file__).with_name("page")


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """What each path of the page holds, and its media type."""
    files = sorted(path for path in _FOLDER.iterdir() if path.suffix in _TYPES)
    found = {f"/{path.name}": (path.read_bytes(), _TYPES[path.suffix]) for path in files}
    found |= {path: found[f"/{name}"] for path, name in _PAGES.items()}
    return found | {"/style.css": (_style().encode(), "text/css; charset=utf-8")}


def _style() -> str:
    """The reports' colours, by the system's wish or by the page's switch, and the page's own sheet."""
    themes = (
        f":root{{{LIGHT_THEME}color-scheme:light}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{DARK_THEME}color-scheme:dark}}}}\n"
        f":root[data-theme=dark]{{{DARK_THEME}color-scheme:dark}}\n"
    )
    return themes + (_FOLDER / "style.css").read_text(encoding="utf-8")
