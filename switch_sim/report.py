"""What became of pings, for the eye and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from rich.markup import escape
from rich.table import Table

from .network import PingAll

MATRIX_HOSTS = 16  # what a terminal of 100 columns can show side by side
LOSSES_TOLD = 10


def ping_table(pings: PingAll, hosts: Sequence[str]) -> Table:
    """Return who reached whom, in milliseconds; of large networks a line a host."""
    return _matrix(pings, hosts) if len(hosts) <= MATRIX_HOSTS else _by_host(pings, hosts)


def ping_data(pings: PingAll) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "sent": pings.sent,
        "received": len(pings.rtts),
        "rtts": [
            {"src": src, "dst": dst, "ms": round(1000 * rtt, 3)}
            for (src, dst), rtt in pings.rtts.items()
        ],
        "lost": [{"src": src, "dst": dst, "reason": why} for (src, dst), why in pings.lost.items()],
    }


def ping_summary(pings: PingAll) -> str:
    """Return how many pings came back, and which did not."""
    came = len(pings.rtts)
    lines = [f"{came} of {pings.sent} pings came back{_times(list(pings.rtts.values()))}"]
    for (src, dst), fault in list(pings.lost.items())[:LOSSES_TOLD]:
        lines.append(f"lost: {src} to {dst}: {fault}")
    if (more := len(pings.lost) - LOSSES_TOLD) > 0:
        lines.append(f"lost: {more} more")
    return escape("\n".join(lines))


def _times(rtts: Sequence[float]) -> str:
    if not rtts:
        return ""
    least, mean, most = (1000 * time for time in (min(rtts), fmean(rtts), max(rtts)))
    return f" in {least:.1f} / {mean:.1f} / {most:.1f} ms (least, mean, most)"


def _matrix(pings: PingAll, hosts: Sequence[str]) -> Table:
    table = Table(title="Round trip in ms, from the host at the left")
    table.add_column("")
    for host in hosts:
        table.add_column(escape(host), justify="right")
    for src in hosts:
        table.add_row(escape(src), *(_cell(pings, src, dst) for dst in hosts))
    return table


def _cell(pings: PingAll, src: str, dst: str) -> str:
    rtt = pings.rtts.get((src, dst))
    if rtt is not None:
        return f"{1000 * rtt:.1f}"
    return "[red]lost[/]" if (src, dst) in pings.lost else ""


def _by_host(pings: PingAll, hosts: Sequence[str]) -> Table:
    table = Table("Host", title="Whom each host reached")
    for column in ("reached", "lost", "mean ms"):
        table.add_column(column, justify="right")
    rtts: dict[str, list[float]] = {host: [] for host in hosts}
    lost = dict.fromkeys(hosts, 0)
    for (src, _), rtt in pings.rtts.items():
        rtts[src].append(rtt)
    for src, _ in pings.lost:
        lost[src] += 1
    for host in hosts:
        mean = f"{1000 * fmean(rtts[host]):.1f}" if rtts[host] else ""
        style = "red" if lost[host] else None
        table.add_row(escape(host), str(len(rtts[host])), str(lost[host]), mean, style=style)
    return table
