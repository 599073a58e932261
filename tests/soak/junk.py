"""Random requests at a real node: no crash, no hang, no traceback to the client, and it answers afterwards.

    python -m tests.soak.junk --requests 20000

Made from the method table: every method with arguments of the right, nearly right and wrong kind, in single requests
and batches, over HTTP and WebSocket; and bytes that are no JSON, no HTTP or no WebSocket at all.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from chain.app import all_methods
from chain.rpc.params import BadValue, Param
from tests.node_process import ACCOUNTS, NodeProcess

__all__ = ["Report", "run"]

# These would end the run, or change what the run looks at: their own tests know them.
LEFT_OUT = frozenset({"anvil_reset", "hardhat_reset"})
ANSWER_LIMIT_S = 60.0
KNOWN_CODES = frozenset({-32700, -32600, -32601, -32602, -32603, -32000, -32001, -32002, -32003, -32004, -32005, 3, 4})
LEAKS = ("Traceback", 'File "', "site-packages", ".py", "0x" + "ac0974bec39a17e36ba4a6b4d238ff944bacb478")


@dataclass
class Report:
    """What was asked, how it was answered, and what should not have happened."""

    requests: int = 0
    codes: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Requests:
    """Makes requests from a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._methods = [method for name, method in sorted(all_methods().items()) if name not in LEFT_OUT]

    def value(self, depth: int = 0) -> Any:
        chance = self._chance
        kind = chance.randrange(16 if depth < 4 else 11)
        if kind < 2:
            return chance.choice(["latest", "pending", "earliest", "safe", "finalized"])
        if kind == 2:
            return hex(chance.choice([0, 1, 2, 5, 2**31, 2**63, 2**64, 2**256 - 1, 2**256]))
        if kind == 3:
            return chance.choice([*ACCOUNTS, "0x" + "00" * 20, "0x" + "ff" * 20])
        if kind == 4:
            return "0x" + chance.randbytes(chance.choice([0, 1, 4, 20, 31, 32, 33, 100])).hex()
        if kind == 5:
            return chance.choice([None, True, False])
        if kind == 6:
            return chance.choice([0, 1, -1, 3, 10**9, 2**53, 2**64, 1.5, -0.0, 1e300])
        if kind == 7:
            return chance.choice(
                ["", "0x", "0xzz", "0x0g", "\x00", "é\u202e", "a" * 300, "callTracer", "prestateTracer"]
            )
        if kind < 11:
            return self.transaction(depth)
        if kind < 13:
            return [self.value(depth + 1) for _ in range(chance.randrange(4))]
        names = ["blockHash", "address", "topics", "fromBlock", "toBlock", "tracer", "stateDiff", "x", "", "balance"]
        return {chance.choice(names): self.value(depth + 1) for _ in range(chance.randrange(4))}

    def fitting(self, param: Param) -> Any:
        """A value that the parser of the parameter takes, if one is found in a few tries."""
        for _ in range(12):
            value = self.value()
            try:
                param.parse(value)
            except BadValue:
                continue
            return value
        return self.value()

    def transaction(self, depth: int) -> Any:
        chance = self._chance
        fields: dict[str, Any] = {
            "from": chance.choice(ACCOUNTS),
            "to": chance.choice([ACCOUNTS[1], None, "0x" + "22" * 20, "0x" + "00" * 19 + "05"]),
            "value": hex(chance.choice([0, 1, 10**18, 2**255])),
            "data": "0x"
            + chance.choice([b"", b"\x5b\x5f\x56", b"\x00asm\x01\x00\x00\x00", chance.randbytes(40)]).hex(),
            "gas": hex(chance.choice([0, 21_000, 100_000, 2**64])),
        }
        for name in chance.sample(sorted(fields), chance.randrange(3)):
            fields[name] = self.value(depth + 1)
        if chance.random() < 0.3:
            fields[chance.choice(["nonce", "type", "accessList", "gasPrice", "authorizationList", "chainId"])] = (
                self.value(depth + 1)
            )
        return fields

    def request(self) -> Any:
        chance = self._chance
        method = chance.choice(self._methods)
        message: dict[str, Any] = {"jsonrpc": "2.0", "id": chance.randrange(1000), "method": method.name}
        count = max(0, len(method.params) + chance.choice([0, 0, 0, 0, -1, 1]))
        fitting = chance.random() < 0.7
        message["params"] = [
            self.fitting(method.params[place]) if fitting and place < len(method.params) else self.value()
            for place in range(count)
        ]
        if chance.random() < 0.05:
            message[chance.choice(["jsonrpc", "id", "method", "params"])] = self.value()
        return message

    def body(self) -> bytes:
        """A message: most of them JSON."""
        chance = self._chance
        kind = chance.randrange(20)
        if kind == 0:
            return chance.randbytes(chance.randrange(200))
        if kind == 1:
            return b"[" * chance.choice([1, 10, 3000, 100_000])
        if kind == 2:
            raw = bytearray(json.dumps(self.request()).encode())
            raw[chance.randrange(len(raw))] = chance.randrange(256)
            return bytes(raw)
        if kind == 3:
            return json.dumps(self.value()).encode()
        if kind == 4:
            return json.dumps([self.request() for _ in range(chance.choice([0, 2, 10]))]).encode()
        return json.dumps(self.request()).encode()

    def raw_stream(self) -> bytes:
        """Bytes for a connection that speaks no HTTP."""
        chance = self._chance
        start = chance.choice(
            [
                b"",
                b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n",
                b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
                b"GET / HTTP/9.9\r\n" + b"A: " + b"b" * 20_000 + b"\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            ]
        )
        return start + chance.randbytes(chance.randrange(300))


async def run(count: int, seed: int, node: NodeProcess) -> Report:
    """Send so many requests to a node; what is wrong stands in the report."""
    report = Report()
    made = Requests(seed)
    timeout = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as client:
        sent = 0
        while sent < count:
            way = made._chance.randrange(40)
            bodies = [made.body() for _ in range(min(8, count - sent))]
            sent += len(bodies)
            try:
                if way == 0:
                    await _stream(node, made.raw_stream())
                elif way < 8:
                    await _over_websocket(client, node, bodies, report)
                else:
                    await asyncio.gather(*(_over_http(client, node, body, report) for body in bodies))
            except (TimeoutError, aiohttp.ClientError) as error:
                report.wrong.append(f"{type(error).__name__} {error} after {[body[:300] for body in bodies]}")
                if node.process.poll() is not None:
                    report.wrong.append("the node has ended")
                    break
        report.requests = sent
        async with client.post(node.url, data=b'{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}') as answer:
            if "result" not in await answer.json():
                report.wrong.append("the node does not answer any more")
    if "Traceback" in node.errors:
        report.wrong.append("faults were logged:\n" + node.errors[:4000])
    return report


async def _over_http(client: aiohttp.ClientSession, node: NodeProcess, body: bytes, report: Report) -> None:
    async with client.post(node.url, data=body, headers={"Content-Type": "application/json"}) as answer:
        _judge(body, await answer.read(), report)


async def _over_websocket(
    client: aiohttp.ClientSession, node: NodeProcess, bodies: list[bytes], report: Report
) -> None:
    async with client.ws_connect(node.url, max_msg_size=0) as socket:
        for body in bodies:
            await socket.send_bytes(body)
        # An answer to this one shows that all before it are done.
        await socket.send_str('{"jsonrpc":"2.0","id":"last","method":"eth_chainId"}')
        async with asyncio.timeout(ANSWER_LIMIT_S):
            async for message in socket:
                _judge(b"(WebSocket)", message.data, report)
                if b'"last"' in (message.data if isinstance(message.data, bytes) else message.data.encode()):
                    return
        report.wrong.append(f"the WebSocket closed after {[body[:300] for body in bodies]}")


async def _stream(node: NodeProcess, raw: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    writer.write(raw)
    try:
        async with asyncio.timeout(0.2):
            await reader.read(10_000)
    except (TimeoutError, ConnectionError):
        pass  # it waits for the rest, or would have none of it
    writer.close()


def _answers(decoded: Any) -> Iterator[dict[str, Any]]:
    for item in decoded if isinstance(decoded, list) else [decoded]:
        if isinstance(item, dict):
            yield item


def _judge(body: bytes, answer: bytes | str, report: Report) -> None:
    if not answer:
        return  # a notification
    try:
        decoded = json.loads(answer)
    except ValueError:
        report.wrong.append(f"{body[:300]!r}: the answer is no JSON: {answer[:200]!r}")
        return
    for item in _answers(decoded):
        error = item.get("error")
        if error is None:
            continue
        report.codes[error["code"]] += 1
        if error["code"] not in KNOWN_CODES or error["code"] == -32603:
            report.wrong.append(f"{body[:500]!r}: {error}")
        if any(word in str(error["message"]) for word in LEAKS):
            report.wrong.append(f"{body[:300]!r}: the message tells too much: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    node = NodeProcess({})
    try:
        report = asyncio.run(run(options.requests, options.seed, node))
    finally:
        node.stop()
    codes = ", ".join(f"{count} x {code}" for code, count in report.codes.most_common())
    print(f"{report.requests} requests, errors {codes}; {len(report.wrong)} wrong")
    for line in report.wrong[:40]:
        print(line)
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
