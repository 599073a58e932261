"""What a browser wallet and its test page ask of a node, in order, with what they take for an answer: data.

Written down from MetaMask adding a network, showing an account, and its test-dapp connecting, paying, deploying a
token, calling it and signing. A row is (method, parameters, expectation). "$name" stands for a value known by then:
`$account`, `$other`, and the last answer of an earlier row by its label.

Expectations: a JSON value (equal), `Like(pattern)` (a string that matches), `Has(...)` (an object with these members),
`Fails(code)`, `Keep(label, expectation)` (as the expectation; remembered by that label).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ORIGIN", "STEPS", "Fails", "Has", "Keep", "Like"]

ORIGIN: Final = "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn"

ADDRESS = "^0x[0-9a-f]{40}$"
HASH = "^0x[0-9a-f]{64}$"
QUANTITY = "^0x(0|[1-9a-f][0-9a-f]*)$"


@dataclass(frozen=True, slots=True)
class Like:
    pattern: str


@dataclass(frozen=True, slots=True)
class Has:
    members: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fails:
    code: int
    message: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    label: str
    expectation: Any


_BLOCK = Has(
    {
        "number": Like(QUANTITY),
        "hash": Like(HASH),
        "baseFeePerGas": Like(QUANTITY),
        "gasLimit": Like(QUANTITY),
        "timestamp": Like(QUANTITY),
    }
)
_FEES = Has({"oldestBlock": Like(QUANTITY)})
# A token's balanceOf(address), symbol(), decimals(), and supportsInterface(ERC-721), as wallets probe with.
_BALANCE_OF = "0x70a08231000000000000000000000000$account_digits"
_SYMBOL, _DECIMALS = "0x95d89b41", "0x313ce567"
_SUPPORTS_721 = "0x01ffc9a780ac58cd00000000000000000000000000000000000000000000000000000000"
_BALANCE_CHECKER = "0xb1f8e55c7f64d203c1400b9d8555d050f94adf39"
_MULTICALL = "0xca11bde05977b3631167028862be2a173976ca11"
_TYPED = {
    "domain": {"chainId": 31337, "name": "Ether Mail", "version": "1", "verifyingContract": "0x" + "cc" * 20},
    "message": {"contents": "Hello, Bob!", "from": {"name": "Cow", "wallet": "0x" + "cd" * 20}},
    "primaryType": "Mail",
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "version", "type": "string"},
            {"name": "chainId", "type": "uint256"},
            {"name": "verifyingContract", "type": "address"},
        ],
        "Mail": [{"name": "from", "type": "Person"}, {"name": "contents", "type": "string"}],
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
    },
}

STEPS: Final[tuple[tuple[str, list[Any] | None, Any], ...]] = (
    # A network is added.
    ("eth_chainId", None, "0x7a69"),
    ("net_version", [], "31337"),
    ("web3_clientVersion", [], Like("^ewasm/")),
    ("eth_getBlockByNumber", ["latest", False], _BLOCK),
    ("eth_blockNumber", [], Like(QUANTITY)),
    ("eth_syncing", [], False),
    # An account is shown; the balance checker is not deployed here.
    ("eth_call", [{"to": _BALANCE_CHECKER, "data": "0xf0002ea9"}, "latest"], "0x"),
    ("eth_call", [{"to": _MULTICALL, "data": "0x82ad56cb"}, "latest"], "0x"),
    ("eth_getBalance", ["$account", "latest"], Like(QUANTITY)),
    ("eth_getBalance", ["$account", "0x0"], Like(QUANTITY)),
    ("eth_getTransactionCount", ["$account", "latest"], "0x0"),
    ("eth_getTransactionCount", ["$account", "pending"], "0x0"),
    ("eth_getCode", ["$account", "latest"], "0x"),
    # The page connects.
    ("eth_accounts", [], [Like(ADDRESS)]),
    ("eth_requestAccounts", [], [Like(ADDRESS)]),
    ("wallet_requestPermissions", [{"eth_accounts": {}}], Fails(-32601)),
    ("wallet_addEthereumChain", [{"chainId": "0x7a69"}], Fails(-32601)),
    ("eth_getEncryptionPublicKey", ["$account"], Fails(-32601)),
    # A payment is prepared: fees three ways, gas, the receiver's code.
    ("eth_gasPrice", [], Like(QUANTITY)),
    ("eth_maxPriorityFeePerGas", [], Like(QUANTITY)),
    ("eth_feeHistory", ["0x5", "latest", [10, 20, 30]], _FEES),
    ("eth_feeHistory", ["0x64", "latest", [0, 10, 50.5, 100]], _FEES),
    ("eth_feeHistory", [1, "pending", []], _FEES),
    ("eth_getCode", ["$other", "latest"], "0x"),
    (
        "eth_estimateGas",
        [{"from": "$account", "to": "$other", "value": "0x29a2241af62c0000", "gas": "0x1ab3f00", "type": "0x2"}],
        "0x5208",
    ),
    (
        "eth_estimateGas",
        [{"from": "$account", "to": "$other", "value": "0x0", "data": "0x", "gasPrice": "0x0", "chainId": "0x7a69"}],
        "0x5208",
    ),
    (
        "eth_sendTransaction",
        [{"from": "$account", "to": "$other", "value": "0x29a2241af62c0000", "gasLimit": "0x5208", "type": "0x2"}],
        Keep("payment", Like(HASH)),
    ),
    (
        "eth_getTransactionReceipt",
        ["$payment"],
        Has({"status": "0x1", "gasUsed": "0x5208", "type": "0x2", "contractAddress": None, "logs": []}),
    ),
    ("eth_getTransactionByHash", ["$payment"], Has({"nonce": "0x0", "from": "$account", "to": "$other"})),
    ("eth_getTransactionCount", ["$account", "pending"], "0x1"),
    ("eth_getBlockByNumber", ["0x1", True], Has({"transactions": [Has({"hash": "$payment"})]})),
    ("eth_getTransactionReceipt", ["0x" + "12" * 32], None),
    ("eth_getTransactionByHash", ["0x" + "12" * 32], None),
    # A token is deployed, looked at and sent.
    ("eth_estimateGas", [{"from": "$account", "data": "$token_code", "value": "0x0"}], Keep("gas", Like(QUANTITY))),
    (
        "eth_sendTransaction",
        [{"from": "$account", "data": "$token_code", "gas": "$gas", "value": "0x0"}],
        Keep("creation", Like(HASH)),
    ),
    (
        "eth_getTransactionReceipt",
        ["$creation"],
        Has({"status": "0x1", "to": None, "contractAddress": Keep("token", Like(ADDRESS))}),
    ),
    ("eth_getCode", ["$token", "latest"], Like("^0x0061736d")),
    ("eth_call", [{"to": "$token", "data": _SYMBOL}, "latest"], Like("474c44")),
    ("eth_call", [{"to": "$token", "data": _DECIMALS}, "latest"], Like(HASH)),
    ("eth_call", [{"to": "$token", "data": _BALANCE_OF, "from": "$account"}, "latest"], Like("f4240$")),
    ("eth_call", [{"to": "$token", "data": _SUPPORTS_721}, "latest"], Fails(3, "execution reverted")),
    ("eth_estimateGas", [{"from": "$other", "to": "$token", "data": "$transfer"}], Fails(3, "insufficient balance")),
    (
        "eth_sendTransaction",
        [{"from": "$account", "to": "$token", "data": "$transfer", "maxFeePerGas": "0x12a05f200"}],
        Keep("transfer_hash", Like(HASH)),
    ),
    (
        "eth_getTransactionReceipt",
        ["$transfer_hash"],
        Has({"status": "0x1", "logs": [Has({"address": "$token", "removed": False})]}),
    ),
    ("eth_getLogs", [{"address": "$token", "fromBlock": "0x0", "toBlock": "latest"}], [Has({"data": Like(HASH)})]),
    # Something is signed.
    ("personal_sign", ["0x4578616d706c6520607065727369", "$account"], Like("^0x[0-9a-f]{130}$")),
    ("eth_sign", ["$account", "0x" + "87" * 32], Like("^0x[0-9a-f]{130}$")),
    ("eth_signTypedData_v4", ["$account", _TYPED], Like("^0x[0-9a-f]{130}$")),
    # The wallet polls.
    ("eth_getBlockByNumber", ["latest", True], _BLOCK),
    ("eth_getBlockByNumber", ["0xffffff", False], None),
    ("eth_unknownMethod", [], Fails(-32601)),
)
