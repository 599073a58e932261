//! Contracts in Zig: Solidity's ABI and storage layout over the host functions of `eei`.
//!
//! `dispatch` calls the function whose signature the call data name; arguments and results are Zig values:
//!
//!     address -> Address   uint256 -> u256   uint8.. -> u8..   bool -> bool   bytes32 -> Word   string, bytes -> Bytes
//!
//! Selectors and topics are hashed while compiling. Numbers are the language's own u256.
const std = @import("std");
pub const eei = @import("eei.zig");

/// 32 bytes as the ABI and storage have them: numbers big-endian.
pub const Word = [32]u8;

pub const Address = struct {
    bytes: [20]u8,

    pub const zero: Address = .{ .bytes = @splat(0) };

    pub fn isZero(self: Address) bool {
        return std.mem.allEqual(u8, &self.bytes, 0);
    }
};

/// A string or bytes: where they lie in call data (or, where a contract makes them, in memory).
pub const Bytes = union(enum) {
    call_data: struct { offset: u32, length: u32 },
    memory: []const u8,

    pub fn len(self: Bytes) u32 {
        return switch (self) {
            .call_data => |at| at.length,
            .memory => |bytes| bytes.len,
        };
    }

    /// Copy into `memory`, which must be long enough.
    pub fn read(self: Bytes, memory: []u8) []u8 {
        const out = memory[0..self.len()];
        switch (self) {
            .call_data => |at| eei.ethereum.callDataCopy(out.ptr, at.offset, at.length),
            .memory => |bytes| @memcpy(out, bytes),
        }
        return out;
    }
};

// ---- words ----

pub noinline fn word(value: u256) Word {
    const reversed = @byteSwap(value);
    return std.mem.toBytes(reversed);
}

pub noinline fn number(from: *const Word) u256 {
    return @byteSwap(std.mem.bytesToValue(u256, from));
}

fn toWord(value: anytype) Word {
    return switch (@TypeOf(value)) {
        Word => value,
        Address => addressWord(value),
        bool => word(@intFromBool(value)),
        else => word(value),
    };
}

noinline fn addressWord(address: Address) Word {
    var out: Word = @splat(0);
    out[12..].* = address.bytes;
    return out;
}

fn fromWord(T: type, from: *const Word) T {
    if (T == Word) return from.*;
    if (T == Address) return .{ .bytes = from[12..].* };
    if (T == bool) return from[31] != 0;
    return @truncate(number(from));
}

// ---- hashing ----

pub fn keccak256(data: []const u8) Word {
    var out: Word = undefined;
    eei.crypto.keccak256(data.ptr, data.len, &out);
    return out;
}

pub fn sha256(data: []const u8) Word {
    var out: Word = undefined;
    eei.crypto.sha256(data.ptr, data.len, &out);
    return out;
}

fn hashed(comptime text: []const u8) Word {
    // Of all signatures of a contract together.
    @setEvalBranchQuota(100_000_000);
    var out: Word = undefined;
    std.crypto.hash.sha3.Keccak256.hash(text, &out, .{});
    return out;
}

/// First four bytes of the hash of a signature such as "transfer(address,uint256)".
pub fn selectorOf(comptime signature: []const u8) u32 {
    return comptime std.mem.readInt(u32, hashed(signature)[0..4], .big);
}

/// Hash of an event's signature.
pub fn topicOf(comptime signature: []const u8) *const Word {
    const hash = comptime hashed(signature);
    return &hash;
}

// ---- the message ----

pub fn caller() Address {
    var out: Address = undefined;
    eei.ethereum.getCaller(&out.bytes);
    return out;
}

pub fn ownAddress() Address {
    var out: Address = undefined;
    eei.ethereum.getAddress(&out.bytes);
    return out;
}

/// Wei sent along.
pub fn callValue() u128 {
    var out: [16]u8 = undefined;
    eei.ethereum.getCallValue(&out);
    return std.mem.bytesToValue(u128, &out);
}

/// Revert if value was sent.
pub noinline fn refuseValue() void {
    if (callValue() != 0) revertEmpty();
}

// ---- ends ----

/// Revert with nothing to say, as Solidity does for malformed call data.
pub fn revertEmpty() noreturn {
    eei.ethereum.revert(&buffer, 0);
}

/// Revert with `Error(string)`; every common client decodes the reason (at most 96 bytes).
pub fn revert(comptime reason: []const u8) noreturn {
    if (reason.len > 96) @compileError("reason longer than 96 bytes");
    revertWith(reason);
}

var buffer: [4 + 64 + 96]u8 = @splat(0);

noinline fn revertWith(reason: []const u8) noreturn {
    buffer[0..4].* = .{ 0x08, 0xc3, 0x79, 0xa0 };
    buffer[4 + 31] = 0x20;
    buffer[4 + 63] = @intCast(reason.len);
    for (reason, 0..) |byte, i| buffer[68 + i] = byte;
    eei.ethereum.revert(&buffer, 68 + ((reason.len + 31) & ~@as(u32, 31)));
}

/// End the call with an ABI-encoded string; `memory` holds 64 bytes, the text, and up to 31 bytes of zeros.
pub noinline fn returnString(memory: []u8, length: u32) noreturn {
    memory[0..32].* = word(32);
    memory[32..64].* = word(length);
    eei.ethereum.finish(memory.ptr, 64 + ((length + 31) & ~@as(u32, 31)));
}

noinline fn finishWord(value: *const Word) noreturn {
    eei.ethereum.finish(value, 32);
}

// ---- arguments ----

noinline fn argumentWord(base: u32, index: u32) Word {
    var out: Word = undefined;
    const offset = base + 32 * index;
    if (eei.ethereum.getCallDataSize() < offset + 32) revertEmpty();
    eei.ethereum.callDataCopy(&out, offset, 32);
    return out;
}

noinline fn argumentAddress(base: u32, index: u32) Address {
    const out = argumentWord(base, index);
    if (!std.mem.allEqual(u8, out[0..12], 0)) revertEmpty();
    return .{ .bytes = out[12..].* };
}

noinline fn argumentBytes(base: u32, index: u32) Bytes {
    const size = eei.ethereum.getCallDataSize();
    const offset = number(&argumentWord(base, index));
    if (size < base + 32 or offset > size - base - 32) revertEmpty();
    var out: Word = undefined;
    const start = base + @as(u32, @truncate(offset));
    eei.ethereum.callDataCopy(&out, start, 32);
    const length = number(&out);
    if (length > size - start - 32) revertEmpty();
    return .{ .call_data = .{ .offset = start + 32, .length = @truncate(length) } };
}

/// Argument `index` as a T, refused where it is none; `base` is 4 behind a selector and 0 in a constructor.
pub fn argument(T: type, base: u32, index: u32) T {
    if (T == Address) return argumentAddress(base, index);
    if (T == Bytes) return argumentBytes(base, index);
    const found = argumentWord(base, index);
    if (T == Word) return found;
    const value = number(&found);
    if (T == bool) {
        if (value > 1) revertEmpty();
        return value == 1;
    }
    if (value > std.math.maxInt(T)) revertEmpty();
    return @truncate(value);
}

fn arguments(function: anytype, base: u32) std.meta.ArgsTuple(@TypeOf(function)) {
    var values: std.meta.ArgsTuple(@TypeOf(function)) = undefined;
    inline for (&values, 0..) |*value, index| value.* = argument(@TypeOf(value.*), base, index);
    return values;
}

/// Call `function` with the constructor's arguments.
pub fn construct(comptime function: anytype) void {
    @call(.auto, function, arguments(function, 0));
}

fn isTuple(T: type) bool {
    return @typeInfo(T) == .@"struct" and @typeInfo(T).@"struct".is_tuple;
}

/// Call the function whose signature's selector the call data begin with, and return what it returns (a tuple for several
/// values). Comes back only if there is none: `dispatch(.{ .{ "transfer(address,uint256)", transfer }, ... })`.
pub fn dispatch(comptime functions: anytype) void {
    if (eei.ethereum.getCallDataSize() < 4) return;
    var four: [4]u8 = undefined;
    eei.ethereum.callDataCopy(&four, 0, 4);
    const selector = std.mem.readInt(u32, &four, .big);
    inline for (functions) |entry| {
        if (selector == comptime selectorOf(entry[0])) {
            const result = @call(.auto, entry[1], arguments(entry[1], 4));
            if (@TypeOf(result) == void) eei.ethereum.finish(&buffer, 0);
            if (comptime isTuple(@TypeOf(result))) {
                var words: [result.len]Word = undefined;
                inline for (result, 0..) |value, i| words[i] = toWord(value);
                eei.ethereum.finish(@ptrCast(&words), 32 * words.len);
            } else finishWord(&toWord(result));
        }
    }
}

// ---- calls ----

pub const Outcome = enum(u32) { success = 0, failure = 1, revert = 2 };

pub fn call(gas: u64, to: Address, value: u128, data: []const u8) Outcome {
    const wei: [16]u8 = @bitCast(value);
    return @enumFromInt(eei.ethereum.call(gas, &to.bytes, &wei, data.ptr, data.len));
}

/// A call that may not change state.
pub fn callStatic(gas: u64, to: Address, data: []const u8) Outcome {
    return @enumFromInt(eei.ethereum.callStatic(gas, &to.bytes, data.ptr, data.len));
}

/// Run another contract's code on this one's state.
pub fn callDelegate(gas: u64, to: Address, data: []const u8) Outcome {
    return @enumFromInt(eei.ethereum.callDelegate(gas, &to.bytes, data.ptr, data.len));
}

/// The address of a new contract, or null if its creation failed.
pub fn create(value: u128, init_code: []const u8) ?Address {
    const wei: [16]u8 = @bitCast(value);
    var out: Address = undefined;
    return if (eei.ethereum.create(&wei, init_code.ptr, init_code.len, &out.bytes) == 0) out else null;
}

/// The same, at an address that follows from sender, salt and code.
pub fn create2(value: u128, init_code: []const u8, salt: Word) ?Address {
    const wei: [16]u8 = @bitCast(value);
    var out: Address = undefined;
    const code = eei.ethereum.create2(&wei, init_code.ptr, init_code.len, &salt, &out.bytes);
    return if (code == 0) out else null;
}

/// More than there ever is: a call gets all but a 64th of what is left.
pub const all_gas: u64 = std.math.maxInt(i64);

/// Call data: a selector and words, from values: `callData("transfer(address,uint256)", .{ to, amount })`.
pub fn callData(comptime signature: []const u8, values: anytype) [4 + 32 * values.len]u8 {
    var out: [4 + 32 * values.len]u8 = undefined;
    std.mem.writeInt(u32, out[0..4], comptime selectorOf(signature), .big);
    inline for (values, 0..) |value, i| out[4 + 32 * i ..][0..32].* = toWord(value);
    return out;
}

/// The word that the last call returned as a T, or null if it returned less than 32 bytes.
pub fn returnedValue(T: type) ?T {
    var out: Word = undefined;
    return if (returnData(&out).len == 32) fromWord(T, &out) else null;
}

/// Revert with what the last call returned, up to 1,024 bytes.
pub noinline fn revertReturned() noreturn {
    var memory: [1024]u8 = undefined;
    const data = returnData(&memory);
    eei.ethereum.revert(data.ptr, data.len);
}

/// What the last call returned, as far as `memory` reaches.
pub fn returnData(memory: []u8) []u8 {
    const out = memory[0..@min(memory.len, eei.ethereum.getReturnDataSize())];
    eei.ethereum.returnDataCopy(out.ptr, 0, out.len);
    return out;
}

// ---- events ----

/// emit("Transfer(address,address,uint256)", .{ from, to }, .{amount}): up to three indexed values, then data.
pub fn emit(comptime signature: []const u8, indexed: anytype, data: anytype) void {
    var topics: [3]Word = undefined;
    var body: [32 * @as(usize, @max(1, data.len))]u8 = undefined;
    inline for (indexed, 0..) |value, i| topics[i] = toWord(value);
    inline for (data, 0..) |value, i| body[32 * i ..][0..32].* = toWord(value);
    eei.ethereum.log(
        &body,
        32 * @as(u32, data.len),
        1 + @as(u32, indexed.len),
        topicOf(signature),
        &topics[0],
        &topics[1],
        &topics[2],
    );
}

// ---- storage ----

pub noinline fn load(key: *const Word) Word {
    var out: Word = undefined;
    eei.ethereum.storageLoad(key, &out);
    return out;
}

pub noinline fn store(key: *const Word, value: *const Word) void {
    eei.ethereum.storageStore(key, value);
}

/// Storage that lasts as long as the transaction.
pub fn transientLoad(key: *const Word) Word {
    var out: Word = undefined;
    eei.ethereum.transientLoad(key, &out);
    return out;
}

pub fn transientStore(key: *const Word, value: *const Word) void {
    eei.ethereum.transientStore(key, value);
}

/// A value of a type of at most 32 bytes that has a slot to itself.
pub fn Slot(T: type) type {
    return struct {
        key: Word,

        pub fn at(comptime slot: u256) @This() {
            return .{ .key = comptime constantWord(slot) };
        }

        pub fn get(self: *const @This()) T {
            return fromWord(T, &load(&self.key));
        }

        pub fn set(self: *const @This(), value: T) void {
            store(&self.key, &toWord(value));
        }
    };
}

/// A mapping as Solidity lays it out: the value of `key` lies at keccak256(key . slot). V is a type of at most 32 bytes
/// or a Mapping.
pub fn Mapping(K: type, V: type) type {
    const nested = @typeInfo(V) == .@"struct" and @hasDecl(V, "Key");
    return struct {
        key: Word,

        pub const Key = K;

        pub fn at(comptime slot: u256) @This() {
            return .{ .key = comptime constantWord(slot) };
        }

        /// The slot, or the inner mapping, of a key.
        pub fn of(self: *const @This(), key: K) if (nested) V else Slot(V) {
            return .{ .key = pairHash(&toWord(key), &self.key) };
        }

        pub fn get(self: *const @This(), key: K) V {
            return self.of(key).get();
        }

        pub fn set(self: *const @This(), key: K, value: V) void {
            self.of(key).set(value);
        }
    };
}

/// A string as Solidity lays it out: up to 31 bytes in the slot with twice the length as last byte, more behind
/// keccak256(slot).
pub const String = struct {
    key: Word,

    pub fn at(comptime slot: u256) String {
        return .{ .key = comptime constantWord(slot) };
    }

    /// `memory` holds the text and at least 31 bytes more.
    pub noinline fn set(self: *const String, text: Bytes, memory: []u8) void {
        const length = text.len();
        for (memory[0 .. length + 31]) |*byte| byte.* = 0;
        _ = text.read(memory);
        if (length < 32) {
            var short: Word = memory[0..32].*;
            short[31] = @truncate(2 * length);
            return store(&self.key, &short);
        }
        store(&self.key, &word(2 * @as(u256, length) + 1));
        var key = number(&keccak256(&self.key));
        var done: u32 = 0;
        while (done < length) : (done += 32) {
            store(&word(key), memory[done..][0..32]);
            key +%= 1;
        }
    }

    /// Reads into `memory`; returns the length. What lies behind the text up to a multiple of 32 bytes is zero.
    pub noinline fn get(self: *const String, memory: []u8) u32 {
        var head = load(&self.key);
        if (head[31] & 1 == 0) {
            const length = head[31] / 2;
            head[31] = 0;
            memory[0..32].* = head;
            return length;
        }
        const length: u32 = @as(u32, @truncate(number(&head))) / 2;
        var key = number(&keccak256(&self.key));
        var done: u32 = 0;
        while (done < length) : (done += 32) {
            memory[done..][0..32].* = load(&word(key));
            key +%= 1;
        }
        return length;
    }
};

fn constantWord(comptime slot: u256) Word {
    var out: Word = undefined;
    std.mem.writeInt(u256, &out, slot, .big);
    return out;
}

noinline fn pairHash(key: *const Word, slot: *const Word) Word {
    const pair: [2]Word = .{ key.*, slot.* };
    return keccak256(std.mem.asBytes(&pair));
}
