/* A proxy that can be upgraded: every call runs another contract's code, EVM or WebAssembly, on this one's storage.
 * Where implementation and admin lie is said by EIP-1967, so that explorers find them.
 *
 * abi: constructor(address implementation, bytes call)
 * abi: function upgradeTo(address implementation)
 * abi: event Upgraded(address indexed implementation)
 * abi: fallback() payable
 *
 * `call` runs once on the new storage, unless it is empty. The admin, who is the deployer, upgrades. All other calls go
 * through, those of the admin too.
 */
#include "abi.h"

enum { UPGRADE_TO = 0x3659cfe6 /* upgradeTo(address) */ };

#define DATA_LIMIT 49152

/* keccak256("eip1967.proxy.implementation") - 1 */
static const word IMPLEMENTATION = {{
    0x36, 0x08, 0x94, 0xa1, 0x3b, 0xa1, 0xa3, 0x21, 0x06, 0x67, 0xc8, 0x28, 0x49, 0x2d, 0xb9, 0x8d,
    0xca, 0x3e, 0x20, 0x76, 0xcc, 0x37, 0x35, 0xa9, 0x20, 0xa3, 0xca, 0x50, 0x5d, 0x38, 0x2b, 0xbc}};

/* keccak256("eip1967.proxy.admin") - 1 */
static const word ADMIN = {{
    0xb5, 0x31, 0x27, 0x68, 0x4a, 0x56, 0x8b, 0x31, 0x73, 0xae, 0x13, 0xb9, 0xf8, 0xa6, 0x01, 0x6e,
    0x24, 0x3e, 0x63, 0xb6, 0xe8, 0xee, 0x11, 0x78, 0xd6, 0xa7, 0x17, 0x85, 0x0b, 0x5d, 0x61, 0x03}};

/* keccak256("Upgraded(address)") */
static const uint8_t UPGRADED[32] = {
    0xbc, 0x7c, 0xd7, 0x5a, 0x20, 0xee, 0x27, 0xfd, 0x9a, 0xde, 0xba, 0xb3, 0x20, 0x41, 0xf7, 0x55,
    0x21, 0x4d, 0xbc, 0x6b, 0xff, 0xa9, 0x0c, 0xc0, 0x22, 0x5b, 0x39, 0xda, 0x2e, 0x5c, 0x2d, 0x3b};

static uint8_t data[DATA_LIMIT];

static void set_implementation(const word *to) {
    if (eth_getExternalCodeSize(to->at + 12) == 0) REVERT("Proxy: no contract there");
    eth_storageStore(IMPLEMENTATION.at, to->at);
    eth_log(data, 0, 2, UPGRADED, to->at, 0, 0);
}

/* Call data from `offset` on go to the implementation. */
static void delegate(uint32_t offset, uint32_t length) {
    word to;
    if (length > DATA_LIMIT) REVERT("Proxy: call data too long");
    eth_storageLoad(IMPLEMENTATION.at, to.at);
    eth_callDataCopy(data, offset, length);
    if (eth_callDelegate(ALL_GAS, to.at + 12, data, length) != 0) revert_returned(data, DATA_LIMIT);
}

EWASM_EXPORT("deploy") void deploy(void) {
    word w;
    uint32_t length, offset;
    refuse_value();
    argument_address(&w, 0, 0);
    offset = argument_bytes(0, 1, &length);
    set_implementation(&w);
    caller_word(&w);
    eth_storageStore(ADMIN.at, w.at);
    if (length != 0) delegate(offset, length);
}

EWASM_EXPORT("main") void contract_main(void) {
    uint32_t length;
    if (selector() == UPGRADE_TO) {
        word to, by, admin;
        refuse_value();
        argument_address(&to, 4, 0);
        caller_word(&by);
        eth_storageLoad(ADMIN.at, admin.at);
        for (int i = 0; i < 32; i++)
            if (by.at[i] != admin.at[i]) REVERT("Proxy: not the admin");
        set_implementation(&to);
        eth_finish(data, 0);
    }
    delegate(0, eth_getCallDataSize());
    length = eth_getReturnDataSize();
    if (length > DATA_LIMIT) REVERT("Proxy: returned data too long");
    eth_returnDataCopy(data, 0, length);
    eth_finish(data, length);
}
