"""Who may be asked, and from where: the names a request may use for this service, and no posts of other sites.

A page elsewhere can make a browser send requests to loopback (cross-site posts), or make its own name mean 127.0.0.1
(rebinding). The first is told by `Sec-Fetch-Site` and `Origin`, the second by a name in `Host` that is not ours.
"""

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from seehear.search.service.refused import RefusedError
from seehear.search.service.settings import Settings

_READING = {"GET", "HEAD"}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    if host == "localhost":
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def own_names() -> tuple[str, ...]:
    """What this machine is called, by itself and in its network."""
    return tuple(dict.fromkeys((socket.gethostname().lower(), socket.getfqdn().lower())))


def check_host(headers: Mapping[str, str], settings: Settings) -> None:
    """Refuse a request that calls this service by a name which is not its own.

    Raises:
        RefusedError: 421.
    """
    name = _name(headers.get("host", ""))
    if name in settings.names or (settings.any_address and name and _address(name) is not None):
        return
    raise RefusedError(
        421, "wrong-host", "this service is not known by that name", cure="use the address that it printed at its start"
    )


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Refuse what a page of another site sends, or shows as part of itself; following a link to here is fine.

    Raises:
        RefusedError: 403.
    """
    site = headers.get("sec-fetch-site", "none")
    follows = method in _READING and headers.get("sec-fetch-mode") == "navigate"
    origin = headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
    if (site not in ("same-origin", "none") and not follows) or foreign:
        raise RefusedError(
            403, "other-site", "a page of another site asked", cure="open the page of this service itself"
        )


def _name(host: str) -> str:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return ""
    return (parts.hostname or "").lower().rstrip(".") if "@" not in host else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
