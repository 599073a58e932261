//! An exchange of two tokens whose product stays (x * y = k), with a fee of 0.3 %. Which machine a token runs on does not
//! matter: it is called by its ABI. Reserves fit 112 bits, so that no product of two passes 256. A token that keeps a part
//! of what is transferred is not for it: what was asked for counts as what has come.
//!
//! abi: constructor(address tokenA, address tokenB)
//! abi: function addLiquidity(uint256 mostA, uint256 mostB, uint256 leastShares) returns (uint256 shares)
//! abi: function removeLiquidity(uint256 shares, uint256 leastA, uint256 leastB) returns (uint256 a, uint256 b)
//! abi: function swap(address tokenIn, uint256 amountIn, uint256 leastOut) returns (uint256 amountOut)
//! abi: function quote(address tokenIn, uint256 amountIn) view returns (uint256 amountOut)
//! abi: function reserves() view returns (uint256 a, uint256 b)
//! abi: function sharesOf(address owner) view returns (uint256)
//! abi: function totalShares() view returns (uint256)
//! abi: event Swap(address indexed by, address indexed tokenIn, uint256 amountIn, uint256 amountOut)
//! abi: event Liquidity(address indexed by, uint256 a, uint256 b, uint256 shares, bool added)
const ewasm = @import("ewasm");
const std = @import("std");

const Address = ewasm.Address;

const token_a = ewasm.Slot(Address).at(0);
const token_b = ewasm.Slot(Address).at(1);
const reserve_a = ewasm.Slot(u256).at(2);
const reserve_b = ewasm.Slot(u256).at(3);
const total_shares = ewasm.Slot(u256).at(4);
const shares = ewasm.Mapping(Address, u256).at(5);

const reserve_limit: u256 = 1 << 112;
/// Transient: there while a function that moves tokens runs.
const lock: ewasm.Word = ewasm.topicOf("exchange.lock").*;

fn enter() void {
    if (ewasm.number(&ewasm.transientLoad(&lock)) != 0) ewasm.revert("Exchange: reentered");
    ewasm.transientStore(&lock, &ewasm.word(1));
}

fn leave() void {
    ewasm.transientStore(&lock, &ewasm.word(0));
}

/// A call of a token that returns true or, as some do, nothing.
fn tokenCall(token: Address, data: []const u8) void {
    if (ewasm.call(ewasm.all_gas, token, 0, data) != .success) ewasm.revertReturned();
    const size = ewasm.eei.ethereum.getReturnDataSize();
    if (size == 0) return;
    if ((ewasm.returnedValue(u256) orelse 0) != 1) ewasm.revert("Exchange: the token refused");
}

fn pull(token: Address, amount: u256) void {
    const signature = "transferFrom(address,address,uint256)";
    tokenCall(token, &ewasm.callData(signature, .{ ewasm.caller(), ewasm.ownAddress(), amount }));
}

fn push(token: Address, amount: u256) void {
    tokenCall(token, &ewasm.callData("transfer(address,uint256)", .{ ewasm.caller(), amount }));
}

fn same(a: Address, b: Address) bool {
    return std.mem.eql(u8, &a.bytes, &b.bytes);
}

/// The largest number whose square is not above `n`, by bits from the top: no division.
fn root(n: u256) u256 {
    var out: u256 = 0;
    var bit: u256 = 1 << 127;
    while (bit != 0) : (bit >>= 1) {
        const next = out | bit;
        if (next * next <= n) out = next;
    }
    return out;
}

fn checkAmounts(a: u256, b: u256) void {
    if (a == 0 or b == 0) ewasm.revert("Exchange: nothing");
    if (a >= reserve_limit or b >= reserve_limit) ewasm.revert("Exchange: too much");
}

/// What `part` shares of `total` cost of a reserve, rounded up: those who hold shares never pay for the rounding.
fn priceOf(part: u256, total: u256, reserve: u256) u256 {
    return (part * reserve + total - 1) / total;
}

/// The first one sets the price; later ones give what keeps it, and no more than they offer.
fn addLiquidity(most_a: u256, most_b: u256, least_shares: u256) u256 {
    enter();
    checkAmounts(most_a, most_b);
    const ra = reserve_a.get();
    const rb = reserve_b.get();
    const total = total_shares.get();
    const made = if (total == 0) root(most_a * most_b) else @min(most_a * total / ra, most_b * total / rb);
    if (made == 0) ewasm.revert("Exchange: nothing");
    if (made < least_shares) ewasm.revert("Exchange: too few shares");
    const a = if (total == 0) most_a else priceOf(made, total, ra);
    const b = if (total == 0) most_b else priceOf(made, total, rb);
    checkAmounts(ra + a, rb + b);
    reserve_a.set(ra + a);
    reserve_b.set(rb + b);
    total_shares.set(total + made);
    const by = ewasm.caller();
    shares.set(by, shares.get(by) + made);
    pull(token_a.get(), a);
    pull(token_b.get(), b);
    ewasm.emit("Liquidity(address,uint256,uint256,uint256,bool)", .{by}, .{ a, b, made, true });
    leave();
    return made;
}

fn removeLiquidity(given: u256, least_a: u256, least_b: u256) struct { u256, u256 } {
    enter();
    const by = ewasm.caller();
    const held = shares.get(by);
    if (given == 0 or held < given) ewasm.revert("Exchange: not so many shares");
    const total = total_shares.get();
    const ra = reserve_a.get();
    const rb = reserve_b.get();
    const a = ra * given / total;
    const b = rb * given / total;
    if (a < least_a or b < least_b) ewasm.revert("Exchange: too little comes out");
    shares.set(by, held - given);
    total_shares.set(total - given);
    reserve_a.set(ra - a);
    reserve_b.set(rb - b);
    push(token_a.get(), a);
    push(token_b.get(), b);
    ewasm.emit("Liquidity(address,uint256,uint256,uint256,bool)", .{by}, .{ a, b, given, false });
    leave();
    return .{ a, b };
}

/// Of the 1000 parts that come in 997 count.
fn amountOut(amount_in: u256, reserve_in: u256, reserve_out: u256) u256 {
    const counted = amount_in * 997;
    return counted * reserve_out / (reserve_in * 1000 + counted);
}

fn quote(token_in: Address, amount_in: u256) u256 {
    const a_in = same(token_in, token_a.get());
    if (!a_in and !same(token_in, token_b.get())) ewasm.revert("Exchange: not one of the tokens");
    const ra = reserve_a.get();
    const rb = reserve_b.get();
    checkAmounts(amount_in, 1);
    checkAmounts(ra, rb);
    return if (a_in) amountOut(amount_in, ra, rb) else amountOut(amount_in, rb, ra);
}

fn swap(token_in: Address, amount_in: u256, least_out: u256) u256 {
    enter();
    const out = quote(token_in, amount_in);
    if (out == 0 or out < least_out) ewasm.revert("Exchange: too little comes out");
    const a_in = same(token_in, token_a.get());
    const ra = reserve_a.get();
    const rb = reserve_b.get();
    checkAmounts((if (a_in) ra else rb) + amount_in, 1);
    reserve_a.set(if (a_in) ra + amount_in else ra - out);
    reserve_b.set(if (a_in) rb - out else rb + amount_in);
    pull(token_in, amount_in);
    push(if (a_in) token_b.get() else token_a.get(), out);
    ewasm.emit("Swap(address,address,uint256,uint256)", .{ ewasm.caller(), token_in }, .{ amount_in, out });
    leave();
    return out;
}

fn reserves() struct { u256, u256 } {
    return .{ reserve_a.get(), reserve_b.get() };
}

fn sharesOf(owner: Address) u256 {
    return shares.get(owner);
}

fn totalShares() u256 {
    return total_shares.get();
}

fn init(a: Address, b: Address) void {
    if (a.isZero() or b.isZero() or same(a, b)) ewasm.revert("Exchange: two tokens are needed");
    // A call of an address without code succeeds, so it would pass for a token that always pays.
    if (ewasm.eei.ethereum.getExternalCodeSize(&a.bytes) == 0 or ewasm.eei.ethereum.getExternalCodeSize(&b.bytes) == 0) {
        ewasm.revert("Exchange: two tokens are needed");
    }
    token_a.set(a);
    token_b.set(b);
}

export fn deploy() void {
    ewasm.refuseValue();
    ewasm.construct(init);
}

export fn main() void {
    ewasm.refuseValue();
    ewasm.dispatch(.{
        .{ "swap(address,uint256,uint256)", swap },
        .{ "quote(address,uint256)", quote },
        .{ "addLiquidity(uint256,uint256,uint256)", addLiquidity },
        .{ "removeLiquidity(uint256,uint256,uint256)", removeLiquidity },
        .{ "reserves()", reserves },
        .{ "sharesOf(address)", sharesOf },
        .{ "totalShares()", totalShares },
    });
    ewasm.revertEmpty();
}
