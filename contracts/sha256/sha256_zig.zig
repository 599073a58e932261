//! SHA-256 (FIPS 180-4) of the whole call data, computed in WebAssembly by Zig's standard library: any bytes in, 32 out.
//!
//! ewasm build: -O3
const std = @import("std");
const eei = @import("ewasm").eei;

const chunk = 4096;
var buffer: [chunk]u8 = undefined;
var digest: [32]u8 = undefined;

export fn main() void {
    const size = eei.ethereum.getCallDataSize();
    var hash = std.crypto.hash.sha2.Sha256.init(.{});
    var done: u32 = 0;
    while (done < size) {
        const part = @min(chunk, size - done);
        eei.ethereum.callDataCopy(&buffer, done, part);
        hash.update(buffer[0..part]);
        done += part;
    }
    hash.final(&digest);
    eei.ethereum.finish(&digest, 32);
}
