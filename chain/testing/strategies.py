"""Values, arguments and calls out of an ABI, for hypothesis.

What a function of Wasm or EVM code is given comes from its ABI; `machine` makes sequences of such calls, with
invariants, out of what is here.

    from hypothesis import given
    from chain.testing.strategies import calls

    def test_nobody_gets_rich_by_one_call(chain, deploy, accounts):
        token = deploy("token.wasm", "Gold", "GLD", 1000)

        @given(calls(token, senders=accounts[:3], functions=["transfer", "approve"]))
        def check(call):
            with chain.undone():
                with contextlib.suppress(Reverted):
                    call.send()
                assert sum(map(token.balanceOf, accounts)) <= 1000

        check()

Numbers come small, at the edges of their type (0, powers of two and their neighbours, the least and the largest), or
anywhere; bytes and strings around the length of a word; strings beyond ASCII. All of them shrink to small ones.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from keyword import iskeyword
from typing import TYPE_CHECKING, Any

from chain.accounts import checksum_address
from chain.testing.abi import Abi, AbiError, Item

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    text = f"{__name__} needs hypothesis, which is not installed: pip install 'ewasm[testing]'"
    raise ModuleNotFoundError(text, name="hypothesis") from None

if TYPE_CHECKING:
    from chain.testing.contract import Contract, Receipt

__all__ = ["ZERO", "Call", "Inputs", "addresses", "arguments", "calls", "of_type", "select", "wei"]

ZERO = "0x" + bytes(20).hex()
"""The address that tokens mint from and burn to."""

Inputs = Mapping[str, st.SearchStrategy[Any]]
"""Strategies to use in place of the type's. Of the keys that fit, the first counts: `token.transfer.amount`,
`transfer.amount`, `amount`, `uint256` (also inside arrays and tuples)."""

MAX_ITEMS = 4
_TAKEN = frozenset({"abi", "address", "call", "chain", "encode", "receipt", "send"})
MAX_BYTES = 100


# -- values ------------------------------------------------------------------------------------------------------


def of_type(kind: str, *, accounts: Sequence[Any] = (), types: Inputs | None = None) -> st.SearchStrategy[Any]:
    """Values of an ABI type, as `Contract` takes them: ints, bytes, str, bool, Decimal, tuples.

    Args:
        kind: Canonical: `uint8`, `(address,bytes)[2][]`.
        accounts: Where addresses come from; any unless given.
        types: Strategies by type, in place of those here.

    Raises:
        AbiError: There is no such type.
    """
    from eth_abi.exceptions import ABITypeError, ParseError
    from eth_abi.grammar import TupleType, normalize, parse

    def build(node: Any) -> st.SearchStrategy[Any]:
        name = node.to_type_str()
        if types and name in types:
            return types[name]
        if node.is_array:
            inner, size = build(node.item_type), node.arrlist[-1]
            least, most = (size[0], size[0]) if size else (0, MAX_ITEMS)
            return st.lists(inner, min_size=least, max_size=most).map(tuple)
        if isinstance(node, TupleType):
            return st.tuples(*map(build, node.components))
        return _basic(node.base, node.sub, accounts)

    try:
        parsed = parse(normalize(kind))  # type: ignore[no-untyped-call]
        parsed.validate()
        return build(parsed)
    except (ABITypeError, ParseError, KeyError) as error:
        raise AbiError(f"{kind!r} is no type of the ABI: {error}") from None


def _basic(base: str, size: Any, accounts: Sequence[Any]) -> st.SearchStrategy[Any]:
    if base in ("uint", "int"):
        return _integers(base == "int", size)
    if base in ("ufixed", "fixed"):
        bits, places = size
        return _integers(base == "fixed", bits).map(lambda number: _decimal(number, places))
    if base == "bytes":
        return _bytes() if size is None else _short_bytes(size)
    return {"address": lambda: addresses(accounts), "bool": st.booleans, "string": _strings}[base]()


def _integers(signed: bool, bits: int) -> st.SearchStrategy[int]:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    powers = [1 << power for power in (8, 16, 31, 32, 63, 64, 127, 128, 255) if power < bits]
    edges = [near for power in powers for near in (power - 1, power, power + 1)] + [most - 1, most]
    if signed:
        edges += [-1, *(-edge for edge in edges), least + 1, least]
    known = sorted({edge for edge in edges if least <= edge <= most}, key=abs)
    small = st.integers(-10 if signed else 0, 100)
    return st.one_of(small, st.sampled_from(known), st.integers(least, most))


def _decimal(number: int, places: int) -> Decimal:
    # Built from digits: arithmetic would round to the context's precision.
    return Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -places))


def _short_bytes(size: int) -> st.SearchStrategy[bytes]:
    edges = [bytes(size), bytes(size - 1) + b"\x01", b"\x80" + bytes(size - 1), b"\xff" * size]
    return st.one_of(st.sampled_from(edges), st.binary(min_size=size, max_size=size))


def _bytes() -> st.SearchStrategy[bytes]:
    return st.one_of(
        st.binary(max_size=4), st.binary(min_size=31, max_size=33), st.binary(min_size=64, max_size=MAX_BYTES)
    )


def _strings() -> st.SearchStrategy[str]:
    # The longest that still fits one slot of storage is 31 bytes; letters of two, three and four bytes.
    edges = ["", "a" * 31, "a" * 32, "a" * 33, "\x00", "é" * 16, "汉字" * 6, "\U0001f600" * 8, "é" + "a" * 30]
    return st.one_of(st.text(max_size=8), st.sampled_from(edges), st.text(max_size=40))


def addresses(accounts: Sequence[Any] = ()) -> st.SearchStrategy[str]:
    """One of the accounts (text, bytes, or anything with an `address`); any address unless there are some."""
    if accounts:
        return st.sampled_from([checksummed(account) for account in accounts])
    # Below 0x20 lie the precompiles.
    edges = st.integers(0, 32).map(lambda number: number.to_bytes(20, "big"))
    whole = st.one_of(edges, st.just(b"\xff" * 20), st.binary(min_size=20, max_size=20))
    return whole.map(checksum_address)


def wei() -> st.SearchStrategy[int]:
    """What a payable function is sent: nothing, little, up to an ether."""
    return st.one_of(st.just(0), st.integers(1, 1000), st.sampled_from([10**9, 10**18]), st.integers(0, 10**18))


def checksummed(account: Any) -> str:
    """Text of an account: of text, bytes, or anything with an `address`."""
    account = getattr(account, "address", account)
    return checksum_address(account if isinstance(account, bytes) else bytes.fromhex(str(account).removeprefix("0x")))


# -- calls -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """A call not yet made. Its `repr` is the Python that makes it, where `accounts` are the chain's.

    Attributes:
        function: Of the ABI; `receive` and `fallback` are functions here, the latter takes its call data.
        sender: None is the chain's first account.
        contract: Which it is for, or None where there was only an ABI.
        name: The contract's, in texts.
        spelling: Words for addresses, in texts.
    """

    function: Item
    args: tuple[Any, ...]
    sender: str | None = None
    value: int = 0
    contract: Contract | None = field(default=None, compare=False)
    name: str = "contract"
    spelling: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def data(self) -> bytes:
        """Call data."""
        if self.function.kind == "function":
            return self.function.digest[:4] + self.function.encode(self.args)
        return b"".join(self.args)

    def send(self, contract: Contract | None = None, gas: int | None = None) -> Receipt:
        """Make it, as `Contract.send` does.

        Raises:
            Reverted, RequestFailed: As `LocalChain.send`.
            AbiError: It is for no contract, and none is given.
        """
        contract = contract or self.contract
        if contract is None:
            raise AbiError(f"{self!r} was made from an ABI alone: give send the contract")
        return contract.chain.send(
            contract, self.data, sender=self.sender, value=self.value, gas=gas, contract=contract
        )

    def __repr__(self) -> str:
        if self.function.kind == "function":
            head, args = f"{self.name}.{self.function.name}", [repr(arg) for arg in self.args]
            if self._needs_signature():
                head = f"{self.name}[{self.function.signature!r}]"
        else:
            head, args = "chain.send", [self.name, repr(self.data)]
        if self.value:
            args.append(f"value={self.value}")
        if self.sender is not None:
            args.append(f"sender={self.sender!r}")
        spelled = f"{head}({', '.join(args)})"
        for address, word in self.spelling.items():
            spelled = spelled.replace(repr(address), word)
        return spelled

    def _needs_signature(self) -> bool:
        """Whether the name alone says something else: it is one of several, or the object's own."""
        others = self.contract.abi.functions if self.contract is not None else ()
        overloaded = [item.name for item in others].count(self.function.name) > 1
        return overloaded or self.function.name in _TAKEN or iskeyword(self.function.name)

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(repr(self))


def arguments(
    function: Item, *, accounts: Sequence[Any] = (), inputs: Inputs | None = None, name: str = "contract"
) -> st.SearchStrategy[tuple[Any, ...]]:
    """Arguments of a function, an error or the constructor: `Item.encode` takes them.

    Args:
        function: From `Abi.function`, `Abi.constructor`, ...
        accounts: Where addresses come from; any unless given.
        inputs: In place of the types' strategies.
        name: The contract's, for keys of `inputs`.
    """
    inputs = inputs or {}

    def one(kind: str, parameter: str) -> st.SearchStrategy[Any]:
        for key in (f"{name}.{function.name}.{parameter}", f"{function.name}.{parameter}", parameter):
            if parameter and key in inputs:
                return inputs[key]
        return of_type(kind, accounts=accounts, types=inputs)

    return st.tuples(*map(one, function.inputs, function.names))


def select(
    contracts: Mapping[str, Abi], functions: Collection[str] | None = None, exclude: Collection[str] = ()
) -> list[tuple[str, Item]]:
    """Functions to call, with the names of their contracts.

    Args:
        contracts: ABIs by name.
        functions: `transfer`, `transfer(address,uint256)`, `token.transfer`; all that can change state unless given.
        exclude: Which of them not.

    Raises:
        AbiError: There is no such function.
    """
    every = [(name, item, _labels(name, item)) for name, abi in contracts.items() for item in _entries(abi)]
    for label in [*(functions or ()), *exclude]:
        if not any(label in labels for _, _, labels in every):
            known = ", ".join(sorted({item.name for _, item, _ in every})) or "none"
            raise AbiError(f"no function {label} in the ABI; there are: {known}")
    return [
        (name, item)
        for name, item, labels in every
        if (not item.is_view if functions is None else labels & set(functions)) and not labels & set(exclude)
    ]


def calls(
    target: Contract | Abi,
    *,
    senders: Sequence[Any] = (),
    functions: Collection[str] | None = None,
    exclude: Collection[str] = (),
    inputs: Inputs | None = None,
    accounts: Sequence[Any] = (),
    values: st.SearchStrategy[int] | None = None,
    name: str = "contract",
) -> st.SearchStrategy[Call]:
    """Calls of a contract.

    Args:
        target: The contract; or its ABI, and `Call.send` is told the contract.
        senders: Accounts that call; the first of the chain unless given.
        functions: Which to call, see `select`.
        exclude: Which of them not.
        inputs: In place of the types' strategies.
        accounts: Where addresses in arguments come from; any unless given.
        values: Wei for payable functions; `wei()` unless given.
        name: The contract's, in texts and in keys of `functions` and `inputs`.

    Raises:
        AbiError: `functions`, `exclude` or `inputs` name what the ABI does not have, or no function is left.
    """
    abi = target if isinstance(target, Abi) else target.abi
    chosen = [item for _, item in select({name: abi}, functions, exclude)]
    if not chosen:
        raise AbiError("no function is left to call")
    check_inputs([(name, item) for item in chosen], inputs or {})
    contract = None if isinstance(target, Abi) else target
    spelling = spell({name: contract}) if contract is not None else {}
    sent = values if values is not None else wei()

    def one(item: Item) -> st.SearchStrategy[Call]:
        return st.builds(
            lambda args, sender, value: Call(item, args, sender, value, contract, name, spelling),
            arguments(item, accounts=accounts, inputs=inputs, name=name),
            addresses(senders) if senders else st.none(),
            sent if item.mutability == "payable" else st.just(0),
        )

    return st.one_of([one(item) for item in chosen])


def spell(contracts: Mapping[str, Contract]) -> dict[str, str]:
    """Words for addresses: the chain's accounts and the contracts."""
    words = {contract.address: f"{name}.address" for name, contract in contracts.items()}
    for contract in contracts.values():
        words.update({account: f"accounts[{number}]" for number, account in enumerate(contract.chain.accounts)})
    return words


def check_inputs(functions: Iterable[tuple[str, Item]], inputs: Inputs) -> None:
    """Refuse keys that are no parameter and no type of these functions.

    Raises:
        AbiError: With the key.
    """
    known: set[str] = set()
    for name, item in functions:
        known.update(item.inputs)
        known.update(part for kind in item.inputs for part in re.findall(r"[a-z]+[0-9x]*", kind))
        for parameter in filter(None, item.names):
            known |= {parameter, f"{item.name}.{parameter}", f"{name}.{item.name}.{parameter}"}
    for key in inputs:
        if key not in known:
            raise AbiError(f"inputs: {key} is no parameter and no type; there are: {', '.join(sorted(known))}")


def _entries(abi: Abi) -> list[Item]:
    found = list(abi.functions)
    for item in abi.items:
        if item.kind == "receive":
            found.append(Item("receive", "receive", (), (), mutability="payable"))
        elif item.kind == "fallback":
            found.append(Item("fallback", "fallback", ("bytes",), ("data",), mutability=item.mutability))
    return found


def _labels(name: str, item: Item) -> set[str]:
    return {item.name, item.signature, f"{name}.{item.name}", f"{name}.{item.signature}"}
