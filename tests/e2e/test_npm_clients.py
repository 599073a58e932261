"""ethers, viem and cast, unchanged, against a node: deploy, call, send, event, filter, revert reason."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.node_process import ACCOUNTS, KEYS, NodeProcess, load_token

pytestmark = pytest.mark.npm
LIMIT_S = 200
RECIPIENT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


def run(command: list[str], folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=folder, input=text, capture_output=True, text=True, timeout=LIMIT_S)


@pytest.mark.parametrize("library", ["ethers", "viem"])
def test_library(library: str, npm: Path, node: NodeProcess, token_code: bytes) -> None:
    facts = {
        "url": node.url,
        "wsUrl": node.ws_url,
        "key": KEYS[0],
        "to": RECIPIENT,
        "abi": load_token()[0],
        "bytecode": "0x" + token_code.hex(),
    }
    done = run(["node", f"{library}.mjs"], npm, json.dumps(facts))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ok"


class Cast:
    """Foundry's command line."""

    def __init__(self, npm: Path, url: str) -> None:
        self.npm = npm
        self.url = url

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        # The package's own wrapper loses the exit code.
        tools = sorted((self.npm / "node_modules" / "@foundry-rs").glob("cast-*/bin/cast*"))
        if not tools:
            pytest.skip("the npm package @foundry-rs/cast has no binary for this platform")
        command = [str(tools[0]), arguments[0], "--rpc-url", self.url, *arguments[1:]]
        done = run(command, self.npm)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return (done.stderr if fails else done.stdout).strip()


def test_cast(npm: Path, node: NodeProcess, token_code: bytes) -> None:
    cast = Cast(npm, node.url)
    assert cast("chain-id") == "31337"
    created = json.loads(cast("send", "--private-key", KEYS[0], "--json", "--create", "0x" + token_code.hex()))
    address = created["contractAddress"]
    assert created["status"] == "0x1"
    assert cast("call", address, "symbol()(string)") == '"GLD"'
    sent = json.loads(
        cast("send", "--private-key", KEYS[0], "--json", address, "transfer(address,uint256)", RECIPIENT, "250")
    )
    assert sent["status"] == "0x1"
    assert len(sent["logs"]) == 1
    assert cast("call", address, "balanceOf(address)(uint256)", RECIPIENT).split()[0] == "250"
    logs = json.loads(
        cast("logs", "--json", "--from-block", "0", "--address", address, "Transfer(address,address,uint256)")
    )
    assert [log["transactionHash"] for log in logs][-1] == sent["transactionHash"]
    reason = cast("call", address, "transfer(address,uint256)", RECIPIENT, str(10**18), fails=True)
    assert "ERC20: insufficient balance" in reason
    unlocked = json.loads(cast("send", "--unlocked", "--from", ACCOUNTS[1], "--json", ACCOUNTS[2], "--value", "5"))
    assert int(unlocked["gasUsed"], 16) == 21_000
    assert re.fullmatch(r"\d+", cast("balance", ACCOUNTS[2]))
    assert json.loads(cast("receipt", "--json", sent["transactionHash"]))["blockNumber"] == sent["blockNumber"]
    assert cast("code", address).startswith("0x0061736d")
