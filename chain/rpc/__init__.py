"""JSON-RPC: bytes of a request in, bytes of its answer out.

Reading order: `server` (HTTP and WebSocket on one port), `dispatch` (JSON-RPC 2.0), `params` (JSON to values),
`methods_*` (one function a method, each module ending in its table), `formats` (records to JSON), `errors`.
Formats follow the execution-apis specification. Nothing here touches py-evm or the database.
"""

from __future__ import annotations
