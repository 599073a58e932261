//! What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
//!
//! An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in
//! memory are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is
//! written.

pub const ethereum = struct {
    /// Use up gas: (gas). Negative fails.
    pub extern "ethereum" fn useGas(gas: u64) void;

    /// Whole gas left behind this call's own price.
    pub extern "ethereum" fn getGasLeft() u64;

    /// Own address: (out address).
    pub extern "ethereum" fn getAddress(out: [*]u8) void;

    /// Sender of the message: (out address).
    pub extern "ethereum" fn getCaller(out: [*]u8) void;

    /// Sender of the transaction: (out address).
    pub extern "ethereum" fn getTxOrigin(out: [*]u8) void;

    /// Beneficiary of the block: (out address).
    pub extern "ethereum" fn getBlockCoinbase(out: [*]u8) void;

    /// Wei sent with the message: (out u128).
    pub extern "ethereum" fn getCallValue(out: [*]u8) void;

    /// Effective gas price in wei: (out u128).
    pub extern "ethereum" fn getTxGasPrice(out: [*]u8) void;

    /// Difficulty, since the merge the previous randao: (out u256).
    pub extern "ethereum" fn getBlockDifficulty(out: [*]u8) void;

    /// Gas limit of the block.
    pub extern "ethereum" fn getBlockGasLimit() u64;

    /// Number of the block.
    pub extern "ethereum" fn getBlockNumber() u64;

    /// Timestamp of the block in seconds.
    pub extern "ethereum" fn getBlockTimestamp() u64;

    /// Balance of an account in wei: (address, out u128).
    pub extern "ethereum" fn getExternalBalance(address: [*]const u8, out: [*]u8) void;

    /// Hash of a recent block: (number, out bytes32). 0, or 1 with memory untouched.
    pub extern "ethereum" fn getBlockHash(number: u64, out: [*]u8) u32;

    /// Bytes of call data.
    pub extern "ethereum" fn getCallDataSize() u32;

    /// Bytes of the running code as submitted.
    pub extern "ethereum" fn getCodeSize() u32;

    /// Bytes that the last call or create returned.
    pub extern "ethereum" fn getReturnDataSize() u32;

    /// Copy call data: (out, offset, length). Beyond its end fails.
    pub extern "ethereum" fn callDataCopy(out: [*]u8, offset: u32, length: u32) void;

    /// Copy the running code: (out, offset, length). Beyond its end fails.
    pub extern "ethereum" fn codeCopy(out: [*]u8, offset: u32, length: u32) void;

    /// Copy what the last call returned: (out, offset, length). Beyond its end fails.
    pub extern "ethereum" fn returnDataCopy(out: [*]u8, offset: u32, length: u32) void;

    /// Copy an account's code: (address, out, offset, length). Beyond its end fails.
    pub extern "ethereum" fn externalCodeCopy(address: [*]const u8, out: [*]u8, offset: u32, length: u32) void;

    /// Bytes of an account's code: (address).
    pub extern "ethereum" fn getExternalCodeSize(address: [*]const u8) u32;

    /// Read own storage: (key bytes32, out bytes32).
    pub extern "ethereum" fn storageLoad(key: [*]const u8, out: [*]u8) void;

    /// Write own storage: (key bytes32, value bytes32).
    pub extern "ethereum" fn storageStore(key: [*]const u8, value: [*]const u8) void;

    /// Log: (data, length, topics, four topic pointers); only the first `topics` are read.
    pub extern "ethereum" fn log(data: [*]const u8, length: u32, topics: u32, topic1: ?[*]const u8, topic2: ?[*]const u8, topic3: ?[*]const u8, topic4: ?[*]const u8) void;

    /// Call: (gas, address, value u128, data, length). 0 success, 1 failure, 2 revert.
    pub extern "ethereum" fn call(gas: u64, address: [*]const u8, value: [*]const u8, data: [*]const u8, length: u32) u32;

    /// Call with the callee's code on own state: (gas, address, value u128, data, length).
    pub extern "ethereum" fn callCode(gas: u64, address: [*]const u8, value: [*]const u8, data: [*]const u8, length: u32) u32;

    /// callCode that keeps sender and value: (gas, address, data, length).
    pub extern "ethereum" fn callDelegate(gas: u64, address: [*]const u8, data: [*]const u8, length: u32) u32;

    /// Call that may not change state: (gas, address, data, length).
    pub extern "ethereum" fn callStatic(gas: u64, address: [*]const u8, data: [*]const u8, length: u32) u32;

    /// Create: (value u128, init code, length, out address). 0, 1, or 2 with revert data.
    pub extern "ethereum" fn create(value: [*]const u8, init_code: [*]const u8, length: u32, out: [*]u8) u32;

    /// End the frame with output: (data, length).
    pub extern "ethereum" fn finish(data: [*]const u8, length: u32) noreturn;

    /// End the frame, undo its effects, keep the gas left: (data, length).
    pub extern "ethereum" fn revert(data: [*]const u8, length: u32) noreturn;

    /// Send the balance to an address and end the frame: (address).
    pub extern "ethereum" fn selfDestruct(address: [*]const u8) noreturn;

    /// Create at an address of salt and code: (value u128, init code, length, salt bytes32, out address).
    pub extern "ethereum" fn create2(value: [*]const u8, init_code: [*]const u8, length: u32, salt: [*]const u8, out: [*]u8) u32;

    /// Chain id: (out u256).
    pub extern "ethereum" fn getChainId(out: [*]u8) void;

    /// Own balance in wei: (out u256).
    pub extern "ethereum" fn getSelfBalance(out: [*]u8) void;

    /// Base fee of the block in wei: (out u256).
    pub extern "ethereum" fn getBaseFee(out: [*]u8) void;

    /// Blob base fee of the block in wei: (out u256).
    pub extern "ethereum" fn getBlobBaseFee(out: [*]u8) void;

    /// Versioned hash of a blob: (index, out bytes32). 0, or 1 with memory untouched.
    pub extern "ethereum" fn getBlobHash(index: u32, out: [*]u8) u32;

    /// Previous randao: (out bytes32).
    pub extern "ethereum" fn getPrevRandao(out: [*]u8) void;

    /// Hash of an account's code: (address, out bytes32).
    pub extern "ethereum" fn getExternalCodeHash(address: [*]const u8, out: [*]u8) void;

    /// Read own transient storage: (key bytes32, out bytes32).
    pub extern "ethereum" fn transientLoad(key: [*]const u8, out: [*]u8) void;

    /// Write own transient storage: (key bytes32, value bytes32).
    pub extern "ethereum" fn transientStore(key: [*]const u8, value: [*]const u8) void;
};

pub const bignum = struct {
    /// out = a + b: (a, b, out).
    pub extern "bignum" fn add256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a - b: (a, b, out).
    pub extern "bignum" fn sub256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a * b: (a, b, out).
    pub extern "bignum" fn mul256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a / b, 0 if b is 0: (a, b, out).
    pub extern "bignum" fn div256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// Signed a / b, truncating, 0 if b is 0: (a, b, out).
    pub extern "bignum" fn sdiv256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a % b, 0 if b is 0: (a, b, out).
    pub extern "bignum" fn mod256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// Signed a % b with the sign of a, 0 if b is 0: (a, b, out).
    pub extern "bignum" fn smod256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a ** b: (a, b, out); priced by the bytes of b.
    pub extern "bignum" fn exp256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// Extend the sign of byte a of b: (a, b, out).
    pub extern "bignum" fn signextend256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a & b: (a, b, out).
    pub extern "bignum" fn and256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a | b: (a, b, out).
    pub extern "bignum" fn or256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = a ^ b: (a, b, out).
    pub extern "bignum" fn xor256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = b << a: (a, b, out).
    pub extern "bignum" fn shl256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = b >> a, zeros come in: (a, b, out).
    pub extern "bignum" fn shr256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = b >> a, the sign comes in: (a, b, out).
    pub extern "bignum" fn sar256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// Byte a of b, counted from the most significant, 0 beyond 31: (a, b, out).
    pub extern "bignum" fn byte256(a: [*]const u8, b: [*]const u8, out: [*]u8) void;

    /// out = (a + b) % m without wrapping, 0 if m is 0: (a, b, m, out).
    pub extern "bignum" fn addmod256(a: [*]const u8, b: [*]const u8, m: [*]const u8, out: [*]u8) void;

    /// out = (a * b) % m without wrapping, 0 if m is 0: (a, b, m, out).
    pub extern "bignum" fn mulmod256(a: [*]const u8, b: [*]const u8, m: [*]const u8, out: [*]u8) void;

    /// out = ~a: (a, out).
    pub extern "bignum" fn not256(a: [*]const u8, out: [*]u8) void;

    /// a < b, unsigned: (a, b).
    pub extern "bignum" fn lt256(a: [*]const u8, b: [*]const u8) u32;

    /// a > b, unsigned: (a, b).
    pub extern "bignum" fn gt256(a: [*]const u8, b: [*]const u8) u32;

    /// a < b, signed: (a, b).
    pub extern "bignum" fn slt256(a: [*]const u8, b: [*]const u8) u32;

    /// a > b, signed: (a, b).
    pub extern "bignum" fn sgt256(a: [*]const u8, b: [*]const u8) u32;

    /// a == b: (a, b).
    pub extern "bignum" fn eq256(a: [*]const u8, b: [*]const u8) u32;

    /// a == 0: (a).
    pub extern "bignum" fn iszero256(a: [*]const u8) u32;
};

pub const crypto = struct {
    /// Keccak-256: (data, length, out bytes32).
    pub extern "crypto" fn keccak256(data: [*]const u8, length: u32, out: [*]u8) void;

    /// SHA-256: (data, length, out bytes32).
    pub extern "crypto" fn sha256(data: [*]const u8, length: u32, out: [*]u8) void;
};

pub const debug = struct {
    /// Print a number: (value).
    pub extern "debug" fn print32(value: u32) void;

    /// Print a number: (value).
    pub extern "debug" fn print64(value: u64) void;

    /// Print memory as text: (offset, length).
    pub extern "debug" fn printMem(offset: u32, length: u32) void;

    /// Print memory as hex: (offset, length).
    pub extern "debug" fn printMemHex(offset: u32, length: u32) void;

    /// Print a storage value as text: (key bytes32).
    pub extern "debug" fn printStorage(key: [*]const u8) void;

    /// Print a storage value as hex: (key bytes32).
    pub extern "debug" fn printStorageHex(key: [*]const u8) void;
};
