"""The pool: order, gaps, replacement, limits, and geth's words for refusals."""

from __future__ import annotations

import pytest

from chain.crypto import keccak
from chain.pool import Pool, Rejected
from chain.transaction import Tx

ALICE, BOB = b"\xaa" * 20, b"\xbb" * 20
RICH = 10**24


def make(sender: bytes = ALICE, nonce: int = 0, fee: int = 100, tip: int | None = None, value: int = 0) -> Tx:
    tip = fee if tip is None else tip
    return Tx(
        type=2,
        chain_id=1,
        nonce=nonce,
        gas=21_000,
        to=BOB,
        value=value,
        data=b"",
        sender=sender,
        max_fee_per_gas=fee,
        max_priority_fee_per_gas=tip,
        hash=keccak(repr((sender, nonce, fee, tip, value)).encode()),
    )


def filled(*transactions: Tx) -> Pool:
    pool = Pool()
    for tx in transactions:
        pool.add(tx, 0, RICH)
    return pool


def test_executable_stops_at_the_first_gap() -> None:
    pool = filled(make(nonce=0), make(nonce=2), make(nonce=1), make(nonce=4))
    assert [tx.nonce for tx in pool.executable(lambda _: 0)] == [0, 1, 2]
    pending, queued = pool.split(ALICE, 0)
    assert [tx.nonce for tx in pending] == [0, 1, 2]
    assert [tx.nonce for tx in queued] == [4]


def test_pending_nonce_is_never_below_the_account() -> None:
    pool = filled(make(nonce=0), make(nonce=1))
    assert pool.pending_nonce(ALICE, 0) == 2
    assert pool.pending_nonce(ALICE, 7) == 7
    assert pool.pending_nonce(BOB, 3) == 3


def test_order_is_tip_then_arrival_and_nonces_stay_in_order() -> None:
    cheap_first = make(nonce=0, fee=10)
    dear_second = make(nonce=1, fee=500)
    others = [make(BOB, 0, 100), make(b"\xcc" * 20, 0, 100)]
    pool = filled(cheap_first, dear_second, *others)
    assert list(pool.executable(lambda _: 0)) == [*others, cheap_first, dear_second]


def test_base_fee_decides_the_tip_and_who_waits() -> None:
    capped = make(ALICE, 0, fee=100, tip=90)
    generous = make(BOB, 0, fee=1000, tip=20)
    poor = make(b"\xcc" * 20, 0, fee=85)
    pool = filled(capped, generous, poor)
    assert list(pool.executable(lambda _: 0, base_fee=90)) == [generous, capped]


def test_replacement_needs_ten_percent_on_both_fees() -> None:
    pool = filled(make(fee=100))
    for fee, tip in ((100, 99), (109, 109), (120, 105)):
        with pytest.raises(Rejected, match=r"^replacement transaction underpriced$"):
            pool.add(make(fee=fee, tip=tip), 0, RICH)
    better = make(fee=110)
    replaced = pool.add(better, 0, RICH)
    assert replaced is not None
    assert replaced.max_fee_per_gas == 100
    assert len(pool) == 1
    assert pool.of_sender(ALICE) == [better]
    assert replaced.hash not in pool


def test_known_transaction_is_refused() -> None:
    tx = make()
    pool = filled(tx)
    with pytest.raises(Rejected, match=r"^already known$"):
        pool.add(tx, 0, RICH)


@pytest.mark.parametrize(
    ("tx", "nonce", "balance", "reason"),
    [
        (make(nonce=1), 2, RICH, "^nonce too low: address 0x.*, tx: 1 state: 2$"),
        (make(nonce=2**64 - 1), 0, RICH, "^nonce has max value"),
        (make(fee=5, tip=6), 0, RICH, "^max priority fee per gas higher than max fee per gas"),
        (make(value=1), 0, 2_100_000, "^insufficient funds for gas \\* price \\+ value: .*overshot 1$"),
    ],
)
def test_reasons_are_geths(tx: Tx, nonce: int, balance: int, reason: str) -> None:
    pool = Pool()
    with pytest.raises(Rejected, match=reason):
        pool.add(tx, nonce, balance)
    assert len(pool) == 0


def test_all_of_a_senders_transactions_must_be_affordable_together() -> None:
    pool = Pool()
    pool.add(make(nonce=0), 0, 3_000_000)
    with pytest.raises(Rejected, match="queued cost 2100000, tx cost 2100000, overshot 1200000"):
        pool.add(make(nonce=1), 0, 3_000_000)
    pool.add(make(nonce=0, fee=110), 0, 3_000_000)


def test_limits_on_size() -> None:
    pool = Pool(limit=3, per_sender=2)
    pool.add(make(nonce=0), 0, RICH)
    pool.add(make(nonce=1), 0, RICH)
    with pytest.raises(Rejected, match=r"^account limit exceeded"):
        pool.add(make(nonce=2), 0, RICH)
    pool.add(make(BOB), 0, RICH)
    with pytest.raises(Rejected, match=r"^txpool is full"):
        pool.add(make(b"\xcc" * 20), 0, RICH)
    pool.add(make(nonce=1, fee=200), 0, RICH)


def test_used_nonces_leave_and_later_ones_stay() -> None:
    pool = filled(make(nonce=0), make(nonce=1), make(nonce=2))
    pool.drop_used(ALICE, 2)
    assert [tx.nonce for tx in pool.of_sender(ALICE)] == [2]
    assert pool.remove(make(nonce=2).hash) is not None
    assert pool.senders == ()
    assert pool.remove(make(nonce=2).hash) is None
