//! Everything the layer offers, once.
const ewasm = @import("ewasm");

const Address = ewasm.Address;
const Word = ewasm.Word;

const first = ewasm.Slot(u256).at(0);
const balances = ewasm.Mapping(Address, u256).at(1);
const noted = ewasm.String.at(2);
const pairs = ewasm.Mapping(Address, ewasm.Mapping(Word, bool)).at(3);

var memory: [4096]u8 = undefined;
const key: Word = @splat(7);

fn start() u256 {
    return first.get();
}
fn poke(value: u256) void {
    first.set(value);
}
fn put(who: Address, value: u256) void {
    balances.set(who, value);
}
fn get(who: Address) u256 {
    return balances.get(who);
}
fn flip(who: Address, which: Word) bool {
    const old = pairs.of(who).get(which);
    pairs.of(who).set(which, !old);
    return !old;
}
fn note(text: ewasm.Bytes) void {
    if (text.len() > 1024) ewasm.revert("probe: too long");
    noted.set(text, &memory);
}
fn read() void {
    ewasm.returnString(&memory, noted.get(memory[64..]));
}
fn add(a: u256, b: u256) u256 {
    return a +% b;
}
fn mulmod(a: u256, b: u256, m: u256) u256 {
    var out: u256 = 0;
    ewasm.eei.bignum.mulmod256(@ptrCast(&a), @ptrCast(&b), @ptrCast(&m), @ptrCast(&out));
    return out;
}
fn keccak(data: ewasm.Bytes) Word {
    return ewasm.keccak256(data.read(&memory));
}
fn sha(data: ewasm.Bytes) Word {
    return ewasm.sha256(data.read(&memory));
}
fn say(a: u256, b: u256) void {
    ewasm.emit("Said(uint256,uint256,address)", .{a}, .{ b, ewasm.caller() });
}
fn fail() void {
    ewasm.revert("probe: on purpose");
}
fn sender() Address {
    return ewasm.caller();
}
fn self() Address {
    return ewasm.ownAddress();
}
fn paid() u256 {
    return ewasm.callValue();
}
fn small(value: u8) u8 {
    return value;
}
fn ask(to: Address) u256 {
    if (ewasm.callStatic(ewasm.all_gas, to, &ewasm.callData("start()", .{})) != .success) ewasm.revertReturned();
    return ewasm.returnedValue(u256) orelse 0;
}
fn tell(to: Address, value: u256) void {
    if (ewasm.call(ewasm.all_gas, to, 0, &ewasm.callData("poke(uint256)", .{value})) != .success) ewasm.revertReturned();
}
fn borrow(code: Address, value: u256) void {
    const data = ewasm.callData("poke(uint256)", .{value});
    if (ewasm.callDelegate(ewasm.all_gas, code, &data) != .success) ewasm.revertReturned();
}
fn try_(to: Address) u8 {
    return @intCast(@intFromEnum(ewasm.call(ewasm.all_gas, to, 0, &ewasm.callData("fail()", .{}))));
}
fn make(code: ewasm.Bytes) Address {
    return ewasm.create(0, code.read(&memory)) orelse Address.zero;
}
fn make2(code: ewasm.Bytes, salt: Word) Address {
    return ewasm.create2(0, code.read(&memory), salt) orelse Address.zero;
}
fn remember(value: Word) Word {
    ewasm.transientStore(&key, &value);
    return ewasm.transientLoad(&key);
}

fn init(value: u256) void {
    first.set(value);
}
export fn deploy() void {
    ewasm.construct(init);
}
export fn main() void {
    ewasm.dispatch(.{
        .{ "start()", start },
        .{ "poke(uint256)", poke },
        .{ "put(address,uint256)", put },
        .{ "get(address)", get },
        .{ "flip(address,bytes32)", flip },
        .{ "note(string)", note },
        .{ "read()", read },
        .{ "add(uint256,uint256)", add },
        .{ "mulmod(uint256,uint256,uint256)", mulmod },
        .{ "keccak(bytes)", keccak },
        .{ "sha(bytes)", sha },
        .{ "say(uint256,uint256)", say },
        .{ "fail()", fail },
        .{ "sender()", sender },
        .{ "self()", self },
        .{ "paid()", paid },
        .{ "small(uint8)", small },
        .{ "ask(address)", ask },
        .{ "tell(address,uint256)", tell },
        .{ "borrow(address,uint256)", borrow },
        .{ "try(address)", try_ },
        .{ "make(bytes)", make },
        .{ "make2(bytes,bytes32)", make2 },
        .{ "remember(bytes32)", remember },
    });
    ewasm.revertEmpty();
}
