# pragma version 0.4.3
"""
@title Makes minimal proxies (EIP-1167) of any contract, EVM or WebAssembly
"""

event Cloned:
    target: indexed(address)
    clone: indexed(address)


@external
def clone(target: address) -> address:
    made: address = create_minimal_proxy_to(target)
    log Cloned(target=target, clone=made)
    return made


@external
def clone2(target: address, salt: bytes32) -> address:
    made: address = create_minimal_proxy_to(target, salt=salt)
    log Cloned(target=target, clone=made)
    return made
