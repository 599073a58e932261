"""What the node counts, in Prometheus' text format (`ewasm node --metrics`, GET /metrics).

Written by several threads without a lock: each number has one writer at a time but for requests, where two readers may
now and then lose one of a million.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chain.node import Node

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OTHER = "other"


class Metrics:
    """Counters of one server; `known` are the methods that get a line of their own, whatever clients send."""

    def __init__(self, known: frozenset[str]) -> None:
        self._known = known
        self._started_s = time.time()
        self._requests: dict[tuple[str, str], int] = {}
        self._seconds: dict[str, float] = {}
        self.refused_connections = 0

    def count(self, method: object, seconds: float, *, failed: bool) -> None:
        """Count a request that was answered."""
        name = method if isinstance(method, str) and method in self._known else OTHER
        key = (name, "error" if failed else "ok")
        self._requests[key] = self._requests.get(key, 0) + 1
        self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def render(self, node: Node, connections: int) -> str:
        """The page that Prometheus reads."""
        lines = [
            "# HELP ewasm_requests_total Requests answered, by method and result.",
            "# TYPE ewasm_requests_total counter",
        ]
        for (method, result), count in sorted(self._requests.items()):
            lines.append(f'ewasm_requests_total{{method="{method}",result="{result}"}} {count}')
        lines += [
            "# HELP ewasm_request_seconds_total Time spent on requests, by method.",
            "# TYPE ewasm_request_seconds_total counter",
        ]
        for method, seconds in sorted(self._seconds.items()):
            lines.append(f'ewasm_request_seconds_total{{method="{method}"}} {seconds:.6f}')
        head = node.head
        gauges = (
            ("ewasm_block_number", "Number of the latest block.", head.number),
            ("ewasm_block_timestamp_seconds", "Time of the latest block.", head.timestamp),
            ("ewasm_block_gas_used", "Gas used by the latest block.", head.header.gas_used),
            ("ewasm_pool_transactions", "Transactions that wait.", len(node.pool)),
            ("ewasm_waiting_calls", "Requests that wait for a thread or run on one.", node.backlog),
            ("ewasm_connections", "Open connections.", connections),
            ("process_resident_memory_bytes", "Memory in use.", _resident_bytes()),
            ("process_start_time_seconds", "When the server started.", round(self._started_s, 3)),
        )
        for name, text, value in gauges:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value}"]
        name = "ewasm_refused_connections_total"
        lines += [f"# HELP {name} Connections over the limit.", f"# TYPE {name} counter"]
        lines.append(f"{name} {self.refused_connections}")
        return "\n".join(lines) + "\n"


def _resident_bytes() -> int:
    """Resident memory; the peak where the system does not tell the present."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - no path to speak of
            return int(file.read().split()[1]) * 4096
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
