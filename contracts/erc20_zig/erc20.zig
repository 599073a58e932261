//! ERC-20 token, laid out in storage as contracts/erc20/erc20.c is.
const ewasm = @import("ewasm");

const Address = ewasm.Address;

const balances = ewasm.Mapping(Address, u256).at(0);
const allowances = ewasm.Mapping(Address, ewasm.Mapping(Address, u256)).at(1);
const supply = ewasm.Slot(u256).at(2);
const token_name = ewasm.String.at(3);
const token_symbol = ewasm.String.at(4);

const string_limit = 1024;
var text: [64 + string_limit + 32]u8 = undefined;

fn setString(string: *const ewasm.String, value: ewasm.Bytes) void {
    if (value.len() > string_limit) ewasm.revert("ERC20: name or symbol too long");
    string.set(value, &text);
}

fn returnString(string: *const ewasm.String) noreturn {
    ewasm.returnString(&text, string.get(text[64..]));
}

fn move(from: Address, to: Address, amount: u256) void {
    if (to.isZero()) ewasm.revert("ERC20: transfer to the zero address");
    const source = balances.of(from);
    const held = source.get();
    if (held < amount) ewasm.revert("ERC20: insufficient balance");
    source.set(held - amount);
    // No sum of balances passes the total supply, so this cannot wrap.
    const target = balances.of(to);
    target.set(target.get() +% amount);
    ewasm.emit("Transfer(address,address,uint256)", .{ from, to }, .{amount});
}

fn name() void {
    returnString(&token_name);
}

fn symbol() void {
    returnString(&token_symbol);
}

fn decimals() u8 {
    return 18;
}

fn totalSupply() u256 {
    return supply.get();
}

fn balanceOf(owner: Address) u256 {
    return balances.get(owner);
}

fn allowance(owner: Address, spender: Address) u256 {
    return allowances.of(owner).get(spender);
}

fn transfer(to: Address, amount: u256) bool {
    move(ewasm.caller(), to, amount);
    return true;
}

fn approve(spender: Address, amount: u256) bool {
    if (spender.isZero()) ewasm.revert("ERC20: approve to the zero address");
    const owner = ewasm.caller();
    allowances.of(owner).set(spender, amount);
    ewasm.emit("Approval(address,address,uint256)", .{ owner, spender }, .{amount});
    return true;
}

fn transferFrom(from: Address, to: Address, amount: u256) bool {
    const allowed = allowances.of(from).of(ewasm.caller());
    const left = allowed.get();
    // An allowance of 2^256 - 1 is never used up.
    if (left != ~@as(u256, 0)) {
        if (left < amount) ewasm.revert("ERC20: insufficient allowance");
        allowed.set(left - amount);
    }
    move(from, to, amount);
    return true;
}

/// The whole supply goes to the sender.
fn init(new_name: ewasm.Bytes, new_symbol: ewasm.Bytes, amount: u256) void {
    setString(&token_name, new_name);
    setString(&token_symbol, new_symbol);
    const owner = ewasm.caller();
    supply.set(amount);
    balances.set(owner, amount);
    ewasm.emit("Transfer(address,address,uint256)", .{ Address.zero, owner }, .{amount});
}

export fn deploy() void {
    ewasm.refuseValue();
    ewasm.construct(init);
}

export fn main() void {
    ewasm.refuseValue();
    ewasm.dispatch(.{
        .{ "name()", name },
        .{ "symbol()", symbol },
        .{ "decimals()", decimals },
        .{ "totalSupply()", totalSupply },
        .{ "balanceOf(address)", balanceOf },
        .{ "allowance(address,address)", allowance },
        .{ "transfer(address,uint256)", transfer },
        .{ "approve(address,uint256)", approve },
        .{ "transferFrom(address,address,uint256)", transferFrom },
    });
    ewasm.revert("ERC20: no such function");
}
