"""kill -9 under load, again and again: what the node answered must be there when it comes back.

    python -m tests.soak.kills --kills 200

Senders keep sending signed transfers, one by one and in batches; at a random moment the node is killed and started on
the same data. Every transaction that was answered must then be in a canonical block, in order of nonces, and the
recipient's balance must be the number of transfers that are in blocks.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chain.accounts import DEFAULT_MNEMONIC, Account, derive_accounts
from chain.transaction import Tx, sign_tx
from tests.node_process import NodeProcess

__all__ = ["Campaign", "run"]

RECIPIENT = b"\x77" * 20
GWEI = 10**9
SENDERS = 4


@dataclass
class Campaign:
    """What was answered so far.

    Attributes:
        answered: Hashes by sender, in order of their nonces; what was sent last and not answered is not here.
        lost: Sentences about what is missing.
    """

    kills: int = 0
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)


class _Sender(threading.Thread):
    """Sends transfers until the node does not answer any more."""

    def __init__(self, node: NodeProcess, account: Account, nonce: int, batch: int) -> None:
        super().__init__(daemon=True)
        self._connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=60)
        self._account = account
        self._nonce = nonce
        self._batch = batch
        self.answered: list[str] = []
        self.refused: list[str] = []
        self.ended = False

    def run(self) -> None:
        try:
            while not self.ended:
                self._send()
        except (OSError, http.client.HTTPException, ValueError):
            pass  # the node is gone, maybe in the middle of an answer

    def _send(self) -> None:
        requests = []
        for place in range(self._batch):
            fields: Any = {"max_priority_fee_per_gas": GWEI, "max_fee_per_gas": 10 * GWEI}
            tx = Tx(2, 31337, self._nonce + place, 21_000, RECIPIENT, 1, b"", b"", **fields)
            raw = "0x" + sign_tx(tx, self._account.private_key).encode().hex()
            requests.append({"jsonrpc": "2.0", "id": place, "method": "eth_sendRawTransaction", "params": [raw]})
        body = json.dumps(requests if self._batch > 1 else requests[0])
        self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self._connection.getresponse().read())
        for item in answer if self._batch > 1 else [answer]:
            if "result" in item:
                self.answered.append(item["result"])
            else:
                self.refused.append(str(item["error"]["message"]))
                self.ended = True
        self._nonce += self._batch


def run(kills: int, directory: Path, seed: int = 0, longest_s: float = 0.6) -> Campaign:
    """Kill a node on `directory` so many times; the campaign's `lost` says what went wrong."""
    chance = random.Random(seed)
    accounts = derive_accounts(DEFAULT_MNEMONIC, SENDERS)
    campaign = Campaign()
    node = NodeProcess({"data_dir": directory})
    try:
        for kill in range(kills):
            nonces = [int(node.rpc("eth_getTransactionCount", _hex(a.address), "pending"), 16) for a in accounts]
            senders = [
                _Sender(node, a, n, (1, 1, 5, 20)[i]) for i, (a, n) in enumerate(zip(accounts, nonces, strict=True))
            ]
            for sender in senders:
                sender.start()
            time.sleep(chance.uniform(0.02, longest_s))
            node.kill()
            for sender in senders:
                sender.join()
            campaign.kills += 1
            node = NodeProcess({"data_dir": directory})
            fresh = [tx_hash for sender in senders for tx_hash in sender.answered]
            campaign.answered += len(fresh)
            campaign.hashes += fresh
            _check(node, campaign, [*fresh, *chance.sample(campaign.hashes, min(20, len(campaign.hashes)))])
            campaign.lost += [f"kill {kill}: refused: {text}" for sender in senders for text in sender.refused]
    finally:
        node.stop()
    return campaign


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _check(node: NodeProcess, campaign: Campaign, hashes: list[str]) -> None:
    """Every hash has a receipt in a canonical block, and balances agree with nonces."""
    for start in range(0, len(hashes), 500):
        asked = [
            {"jsonrpc": "2.0", "id": place, "method": "eth_getTransactionReceipt", "params": [tx_hash]}
            for place, tx_hash in enumerate(hashes[start : start + 500])
        ]
        for answer, tx_hash in zip(node.send(asked), hashes[start : start + 500], strict=True):
            receipt = answer.get("result")
            if receipt is None or receipt["status"] != "0x1":
                campaign.lost.append(f"after kill {campaign.kills}: {tx_hash} was answered and is not there")
                continue
            block = node.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
            if block is None or block["hash"] != receipt["blockHash"] or tx_hash not in block["transactions"]:
                campaign.lost.append(f"after kill {campaign.kills}: {tx_hash} is not in its block")
    accounts = derive_accounts(DEFAULT_MNEMONIC, SENDERS)
    sent = sum(int(node.rpc("eth_getTransactionCount", _hex(account.address), "latest"), 16) for account in accounts)
    balance = int(node.rpc("eth_getBalance", _hex(RECIPIENT), "latest"), 16)
    if sent != balance:
        campaign.lost.append(f"after kill {campaign.kills}: {sent} transfers were sent and {balance} arrived")
    if sent < campaign.answered:
        campaign.lost.append(f"after kill {campaign.kills}: {campaign.answered} were answered and {sent} are there")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        campaign = run(options.kills, Path(directory), options.seed)
        size = sum(path.stat().st_size for path in Path(directory).iterdir())
    print(f"{campaign.kills} kills, {campaign.answered} transactions answered, {len(campaign.lost)} lost or wrong")
    if campaign.answered:
        print(f"{size:,} bytes of data, {size // campaign.answered:,} a transaction")
    for line in campaign.lost[:50]:
        print(line)
    return 1 if campaign.lost else 0


if __name__ == "__main__":
    sys.exit(main())
