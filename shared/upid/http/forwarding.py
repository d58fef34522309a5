"""Where a request comes from, behind proxies: `X-Forwarded-For` counts as far as those who wrote it are trusted."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


def client_of(peer: str, forwarded: Sequence[str], trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """Return the address of the client: the peer's, or where that is a trusted proxy, the last in `X-Forwarded-For` that is none.

    Each proxy adds whom it was asked by at the end, so what stands before the first that is not trusted may be anything that somebody wrote. What
    is no address ends the search too: then the proxy that wrote it counts.

    peer: the other end of the connection. forwarded: the values of all headers of that name, in their order.
    """
    address, at = peer, _address(peer)
    hops = [hop for value in forwarded for hop in value.split(",")]
    while at is not None and hops and any(at in network for network in trusted):
        at = _address(hops.pop())
        address = address if at is None else str(at)
    return address


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Return an address as proxies write it: with or without a port, IPv6 in brackets where there is one; None for anything else."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found
