//! What a contract can ask of its host. Made by `make contracts` from ewasm/eei/table.py: do not edit.
//!
//! An address is 20 bytes, a bytes32 (hash, storage key or value, topic) 32 bytes, copied as they are. Numbers in
//! memory are little-endian: a u128 16 bytes (value, balance, gas price), a u256 32 bytes. `out` is where a result is
//! written.
#![allow(non_snake_case)]

pub mod ethereum {
    #[link(wasm_import_module = "ethereum")]
    unsafe extern "C" {
        /// Use up gas: (gas). Negative fails.
        pub fn useGas(gas: u64);

        /// Whole gas left behind this call's own price.
        pub fn getGasLeft() -> u64;

        /// Own address: (out address).
        pub fn getAddress(out: *mut u8);

        /// Sender of the message: (out address).
        pub fn getCaller(out: *mut u8);

        /// Sender of the transaction: (out address).
        pub fn getTxOrigin(out: *mut u8);

        /// Beneficiary of the block: (out address).
        pub fn getBlockCoinbase(out: *mut u8);

        /// Wei sent with the message: (out u128).
        pub fn getCallValue(out: *mut u8);

        /// Effective gas price in wei: (out u128).
        pub fn getTxGasPrice(out: *mut u8);

        /// Difficulty, since the merge the previous randao: (out u256).
        pub fn getBlockDifficulty(out: *mut u8);

        /// Gas limit of the block.
        pub fn getBlockGasLimit() -> u64;

        /// Number of the block.
        pub fn getBlockNumber() -> u64;

        /// Timestamp of the block in seconds.
        pub fn getBlockTimestamp() -> u64;

        /// Balance of an account in wei: (address, out u128).
        pub fn getExternalBalance(address: *const u8, out: *mut u8);

        /// Hash of a recent block: (number, out bytes32). 0, or 1 with memory untouched.
        pub fn getBlockHash(number: u64, out: *mut u8) -> u32;

        /// Bytes of call data.
        pub fn getCallDataSize() -> u32;

        /// Bytes of the running code as submitted.
        pub fn getCodeSize() -> u32;

        /// Bytes that the last call or create returned.
        pub fn getReturnDataSize() -> u32;

        /// Copy call data: (out, offset, length). Beyond its end fails.
        pub fn callDataCopy(out: *mut u8, offset: u32, length: u32);

        /// Copy the running code: (out, offset, length). Beyond its end fails.
        pub fn codeCopy(out: *mut u8, offset: u32, length: u32);

        /// Copy what the last call returned: (out, offset, length). Beyond its end fails.
        pub fn returnDataCopy(out: *mut u8, offset: u32, length: u32);

        /// Copy an account's code: (address, out, offset, length). Beyond its end fails.
        pub fn externalCodeCopy(address: *const u8, out: *mut u8, offset: u32, length: u32);

        /// Bytes of an account's code: (address).
        pub fn getExternalCodeSize(address: *const u8) -> u32;

        /// Read own storage: (key bytes32, out bytes32).
        pub fn storageLoad(key: *const u8, out: *mut u8);

        /// Write own storage: (key bytes32, value bytes32).
        pub fn storageStore(key: *const u8, value: *const u8);

        /// Log: (data, length, topics, four topic pointers); only the first `topics` are read.
        pub fn log(data: *const u8, length: u32, topics: u32, topic1: *const u8, topic2: *const u8, topic3: *const u8, topic4: *const u8);

        /// Call: (gas, address, value u128, data, length). 0 success, 1 failure, 2 revert.
        pub fn call(gas: u64, address: *const u8, value: *const u8, data: *const u8, length: u32) -> u32;

        /// Call with the callee's code on own state: (gas, address, value u128, data, length).
        pub fn callCode(gas: u64, address: *const u8, value: *const u8, data: *const u8, length: u32) -> u32;

        /// callCode that keeps sender and value: (gas, address, data, length).
        pub fn callDelegate(gas: u64, address: *const u8, data: *const u8, length: u32) -> u32;

        /// Call that may not change state: (gas, address, data, length).
        pub fn callStatic(gas: u64, address: *const u8, data: *const u8, length: u32) -> u32;

        /// Create: (value u128, init code, length, out address). 0, 1, or 2 with revert data.
        pub fn create(value: *const u8, init_code: *const u8, length: u32, out: *mut u8) -> u32;

        /// End the frame with output: (data, length).
        pub fn finish(data: *const u8, length: u32) -> !;

        /// End the frame, undo its effects, keep the gas left: (data, length).
        pub fn revert(data: *const u8, length: u32) -> !;

        /// Send the balance to an address and end the frame: (address).
        pub fn selfDestruct(address: *const u8) -> !;

        /// Create at an address of salt and code: (value u128, init code, length, salt bytes32, out address).
        pub fn create2(value: *const u8, init_code: *const u8, length: u32, salt: *const u8, out: *mut u8) -> u32;

        /// Chain id: (out u256).
        pub fn getChainId(out: *mut u8);

        /// Own balance in wei: (out u256).
        pub fn getSelfBalance(out: *mut u8);

        /// Base fee of the block in wei: (out u256).
        pub fn getBaseFee(out: *mut u8);

        /// Blob base fee of the block in wei: (out u256).
        pub fn getBlobBaseFee(out: *mut u8);

        /// Versioned hash of a blob: (index, out bytes32). 0, or 1 with memory untouched.
        pub fn getBlobHash(index: u32, out: *mut u8) -> u32;

        /// Previous randao: (out bytes32).
        pub fn getPrevRandao(out: *mut u8);

        /// Hash of an account's code: (address, out bytes32).
        pub fn getExternalCodeHash(address: *const u8, out: *mut u8);

        /// Read own transient storage: (key bytes32, out bytes32).
        pub fn transientLoad(key: *const u8, out: *mut u8);

        /// Write own transient storage: (key bytes32, value bytes32).
        pub fn transientStore(key: *const u8, value: *const u8);
    }
}

pub mod bignum {
    #[link(wasm_import_module = "bignum")]
    unsafe extern "C" {
        /// out = a + b: (a, b, out).
        pub fn add256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a - b: (a, b, out).
        pub fn sub256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a * b: (a, b, out).
        pub fn mul256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a / b, 0 if b is 0: (a, b, out).
        pub fn div256(a: *const u8, b: *const u8, out: *mut u8);

        /// Signed a / b, truncating, 0 if b is 0: (a, b, out).
        pub fn sdiv256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a % b, 0 if b is 0: (a, b, out).
        pub fn mod256(a: *const u8, b: *const u8, out: *mut u8);

        /// Signed a % b with the sign of a, 0 if b is 0: (a, b, out).
        pub fn smod256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a ** b: (a, b, out); priced by the bytes of b.
        pub fn exp256(a: *const u8, b: *const u8, out: *mut u8);

        /// Extend the sign of byte a of b: (a, b, out).
        pub fn signextend256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a & b: (a, b, out).
        pub fn and256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a | b: (a, b, out).
        pub fn or256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = a ^ b: (a, b, out).
        pub fn xor256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = b << a: (a, b, out).
        pub fn shl256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = b >> a, zeros come in: (a, b, out).
        pub fn shr256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = b >> a, the sign comes in: (a, b, out).
        pub fn sar256(a: *const u8, b: *const u8, out: *mut u8);

        /// Byte a of b, counted from the most significant, 0 beyond 31: (a, b, out).
        pub fn byte256(a: *const u8, b: *const u8, out: *mut u8);

        /// out = (a + b) % m without wrapping, 0 if m is 0: (a, b, m, out).
        pub fn addmod256(a: *const u8, b: *const u8, m: *const u8, out: *mut u8);

        /// out = (a * b) % m without wrapping, 0 if m is 0: (a, b, m, out).
        pub fn mulmod256(a: *const u8, b: *const u8, m: *const u8, out: *mut u8);

        /// out = ~a: (a, out).
        pub fn not256(a: *const u8, out: *mut u8);

        /// a < b, unsigned: (a, b).
        pub fn lt256(a: *const u8, b: *const u8) -> u32;

        /// a > b, unsigned: (a, b).
        pub fn gt256(a: *const u8, b: *const u8) -> u32;

        /// a < b, signed: (a, b).
        pub fn slt256(a: *const u8, b: *const u8) -> u32;

        /// a > b, signed: (a, b).
        pub fn sgt256(a: *const u8, b: *const u8) -> u32;

        /// a == b: (a, b).
        pub fn eq256(a: *const u8, b: *const u8) -> u32;

        /// a == 0: (a).
        pub fn iszero256(a: *const u8) -> u32;
    }
}

pub mod crypto {
    #[link(wasm_import_module = "crypto")]
    unsafe extern "C" {
        /// Keccak-256: (data, length, out bytes32).
        pub fn keccak256(data: *const u8, length: u32, out: *mut u8);

        /// SHA-256: (data, length, out bytes32).
        pub fn sha256(data: *const u8, length: u32, out: *mut u8);
    }
}

pub mod debug {
    #[link(wasm_import_module = "debug")]
    unsafe extern "C" {
        /// Print a number: (value).
        pub fn print32(value: u32);

        /// Print a number: (value).
        pub fn print64(value: u64);

        /// Print memory as text: (offset, length).
        pub fn printMem(offset: u32, length: u32);

        /// Print memory as hex: (offset, length).
        pub fn printMemHex(offset: u32, length: u32);

        /// Print a storage value as text: (key bytes32).
        pub fn printStorage(key: *const u8);

        /// Print a storage value as hex: (key bytes32).
        pub fn printStorageHex(key: *const u8);
    }
}
