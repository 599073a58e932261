"""JSON Schemas of what methods take and answer: data for the OpenRPC document.

`PARAMETERS` goes by the name of a parser, because what a parser admits is what a parameter may be; `RESULTS` by method,
where the return annotation of its function says too little.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["COMPONENTS", "PARAMETERS", "RESULTS", "SUMMARIES"]

Schema = dict[str, Any]


def _hex(title: str, pattern: str) -> Schema:
    return {"title": title, "type": "string", "pattern": pattern}


def _object(required: str, optional: str = "", **more: Any) -> Schema:
    """An object by "name:type name:type"; a type is a component, `?` after it admits null, `*` makes it an array."""
    properties = {}
    names = []
    for words in (required, optional):
        for word in words.split():
            name, kind = word.split(":")
            properties[name] = _type(kind)
            if words is required:
                names.append(name)
    return {"type": "object", "required": names, "properties": properties, **more}


def _type(kind: str) -> Schema:
    if kind.endswith("?"):
        return {"oneOf": [_type(kind[:-1]), {"type": "null"}]}
    if kind.endswith("*"):
        return {"type": "array", "items": _type(kind[:-1])}
    if kind in ("boolean", "integer", "number", "string", "object", "null"):
        return {"type": kind}
    return {"$ref": f"#/components/schemas/{kind}"}


_TAGS = ["latest", "pending", "earliest", "safe", "finalized"]

_HEADER = (
    "difficulty:Quantity extraData:Bytes gasLimit:Quantity gasUsed:Quantity hash:Hash? logsBloom:Bytes miner:Address? "
    "mixHash:Hash nonce:Bytes? number:Quantity parentHash:Hash receiptsRoot:Hash sha3Uncles:Hash stateRoot:Hash "
    "timestamp:Quantity transactionsRoot:Hash"
)
_HEADER_LATER = (
    "baseFeePerGas:Quantity withdrawalsRoot:Hash blobGasUsed:Quantity excessBlobGas:Quantity requestsHash:Hash "
    "parentBeaconBlockRoot:Hash"
)
_STEP_SCHEMA = _object(
    "pc:integer op:string gas:integer gasCost:integer depth:integer",
    "stack:Quantity* memory:Hash* returnData:Bytes storage:object refund:integer error:string function:integer "
    "particles:integer",
    additionalProperties=False,
)

COMPONENTS: Final[dict[str, Schema]] = {
    "Address": _hex("20 bytes", "^0x[0-9a-fA-F]{40}$"),
    "Hash": _hex("32 bytes", "^0x[0-9a-fA-F]{64}$"),
    "Bytes": _hex("bytes in hexadecimal", "^0x([0-9a-fA-F]{2})*$"),
    "Quantity": _hex("number in hexadecimal", "^0x(0|[1-9a-f][0-9a-f]*)$"),
    "StorageKey": _hex("up to 32 bytes, padded on the left", "^0x[0-9a-fA-F]{1,64}$"),
    "LooseQuantity": {
        "title": "number in hexadecimal, in decimal or as JSON",
        "oneOf": [{"type": "string", "pattern": "^(0[xX][0-9a-fA-F]*|[0-9]+)$"}, {"type": "number", "minimum": 0}],
    },
    "BlockTag": {"type": "string", "enum": _TAGS},
    "BlockNumber": {"oneOf": [_type("Quantity"), _type("BlockTag")]},
    "BlockRef": {
        "title": "block by number, tag or EIP-1898 object",
        "oneOf": [
            _type("Quantity"),
            _type("Hash"),
            _type("BlockTag"),
            _object("blockNumber:BlockNumber", additionalProperties=False),
            _object("blockHash:Hash", "requireCanonical:boolean", additionalProperties=False),
        ],
    },
    "AccessListEntry": _object("address:Address storageKeys:Hash*"),
    "Authorization": _object("chainId:Quantity address:Address nonce:Quantity yParity:Quantity r:Quantity s:Quantity"),
    "Withdrawal": _object("index:Quantity validatorIndex:Quantity address:Address amount:Quantity"),
    "TransactionRequest": {
        "title": "transaction or call; what is missing is filled in",
        **_object(
            "",
            "from:Address? gas:Quantity? gasPrice:Quantity? maxFeePerGas:Quantity? maxPriorityFeePerGas:Quantity? "
            "maxFeePerBlobGas:Quantity? value:Quantity? nonce:Quantity? data:Bytes? input:Bytes? chainId:Quantity? "
            "type:LooseQuantity? accessList:AccessListEntry*? blobVersionedHashes:Hash*? "
            "authorizationList:Authorization*?",
        ),
    },
    "StateOverride": {
        "title": "accounts by address, as they are to be for the call",
        "type": "object",
        "additionalProperties": _object(
            "",
            "balance:Quantity? nonce:Quantity? code:Bytes? state:object? stateDiff:object? "
            "movePrecompileToAddress:Address?",
            additionalProperties=False,
        ),
    },
    "BlockOverride": {"title": "fields of the block that the call sees", "type": "object"},
    "LogFilter": _object(
        "", "fromBlock:BlockNumber? toBlock:BlockNumber? blockHash:Hash? address:LogAddress? topics:LogTopic*?"
    ),
    "LogAddress": {"oneOf": [_type("Address"), _type("Address*")]},
    "LogTopic": {"oneOf": [{"type": "null"}, _type("Hash"), _type("Hash?*")]},
    "TraceConfig": {
        "title": "tracer and its options",
        **_object(
            "",
            "tracer:string? tracerConfig:object? timeout:string? disableStack:boolean? disableStorage:boolean? "
            "enableMemory:boolean? enableReturnData:boolean? limit:LooseQuantity?",
        ),
    },
    "Header": _object(_HEADER, _HEADER_LATER),
    "Block": {
        **_object(_HEADER + " size:Quantity uncles:Hash*", _HEADER_LATER + " withdrawals:Withdrawal*"),
    },
    "Transaction": _object(
        "blockHash:Hash? blockNumber:Quantity? from:Address gas:Quantity gasPrice:Quantity hash:Hash input:Bytes "
        "nonce:Quantity to:Address? transactionIndex:Quantity? value:Quantity type:Quantity v:Quantity r:Quantity "
        "s:Quantity",
        "blockTimestamp:Quantity? chainId:Quantity maxFeePerGas:Quantity maxPriorityFeePerGas:Quantity "
        "accessList:AccessListEntry* yParity:Quantity maxFeePerBlobGas:Quantity blobVersionedHashes:Hash* "
        "authorizationList:Authorization*",
        additionalProperties=False,
    ),
    "UnsignedTransaction": _object(
        "type:Quantity nonce:Quantity gas:Quantity to:Address? value:Quantity input:Bytes chainId:Quantity",
        "gasPrice:Quantity maxFeePerGas:Quantity maxPriorityFeePerGas:Quantity accessList:AccessListEntry* "
        "authorizationList:Authorization*",
        additionalProperties=False,
    ),
    "Log": _object(
        "address:Address topics:Hash* data:Bytes blockNumber:Quantity transactionHash:Hash transactionIndex:Quantity "
        "blockHash:Hash logIndex:Quantity removed:boolean",
        "blockTimestamp:Quantity",
        additionalProperties=False,
    ),
    "Receipt": _object(
        "blockHash:Hash blockNumber:Quantity contractAddress:Address? cumulativeGasUsed:Quantity "
        "effectiveGasPrice:Quantity from:Address gasUsed:Quantity logs:Log* logsBloom:Bytes to:Address? "
        "transactionHash:Hash transactionIndex:Quantity type:Quantity",
        "status:Quantity root:Hash blobGasUsed:Quantity blobGasPrice:Quantity",
        additionalProperties=False,
    ),
    "FeeHistory": _object(
        "oldestBlock:Quantity baseFeePerGas:Quantity* gasUsedRatio:number* baseFeePerBlobGas:Quantity* "
        "blobGasUsedRatio:number*",
        "reward:Quantity**",
        additionalProperties=False,
    ),
    "Account": _object("nonce:Quantity balance:Quantity storageRoot:Hash codeHash:Hash", additionalProperties=False),
    "AccountInfo": _object("balance:Quantity nonce:Quantity code:Bytes", additionalProperties=False),
    "Proof": _object(
        "address:Address accountProof:Bytes* balance:Quantity codeHash:Hash nonce:Quantity storageHash:Hash "
        "storageProof:StorageProof*",
        additionalProperties=False,
    ),
    "StorageProof": _object("key:StorageKey value:Quantity proof:Bytes*", additionalProperties=False),
    "AccessListResult": _object("accessList:AccessListEntry* gasUsed:Quantity", "error:string"),
    "SignedTransaction": _object("raw:Bytes tx:Transaction"),
    "FilledTransaction": _object("raw:Bytes tx:UnsignedTransaction"),
    "FilterChange": {"oneOf": [_type("Hash"), _type("Log")]},
    "PoolContent": _object("pending:object queued:object", additionalProperties=False),
    "PoolStatus": _object("pending:Quantity queued:Quantity", additionalProperties=False),
    "StorageRange": _object("storage:StorageEntries nextKey:Hash?", additionalProperties=False),
    "StorageEntries": {"type": "object", "additionalProperties": _object("key:Hash? value:Hash")},
    "Step": _STEP_SCHEMA,
    "StepTrace": _object("gas:integer failed:boolean returnValue:Bytes structLogs:Step*", additionalProperties=False),
    "Trace": {"title": "what the tracer answers; steps where none is named", "anyOf": [_type("StepTrace"), {}]},
    "BlockTrace": _object("txHash:Hash result:Trace", additionalProperties=False),
    "FlatTrace": _object(
        "action:object type:string subtraces:integer traceAddress:integer* blockHash:Hash? blockNumber:integer "
        "transactionHash:Hash? transactionPosition:integer",
        "result:object error:string",
        additionalProperties=False,
    ),
    "Replayed": _object("output:Bytes trace:object* stateDiff:null vmTrace:null", "transactionHash:Hash"),
    "GasReport": _object(
        "transactionHash:Hash status:integer? gasUsed:integer gasInstructions:integer gasEei:integer gasOther:integer "
        "error:string?"
    ),
    "CheckReport": _object("ok:boolean error:object?"),
    "Profile": _object("gas:integer failed:boolean instructions:integer functions:object* opcodes:object*"),
    "NodeInfo": _object(
        "currentBlockNumber:Quantity currentBlockTimestamp:integer currentBlockHash:Hash hardFork:string "
        "transactionOrder:string environment:object forkConfig:object"
    ),
    "Metadata": _object(
        "clientVersion:string chainId:integer instanceId:Hash latestBlockNumber:integer latestBlockHash:Hash "
        "snapshots:object"
    ),
    "Anything": {},
}

_LIST: Schema = {"type": "array"}

# Name of a parser (its place in a function that makes parsers included) -> schema.
PARAMETERS: Final[dict[str, Schema]] = {
    "address": _type("Address"),
    "boolean": _type("boolean"),
    "block_number": _type("BlockNumber"),
    "block_ref": _type("BlockRef"),
    "block_overrides": _type("BlockOverride"),
    "call_trace_options": _type("TraceConfig"),
    "data": _type("Bytes"),
    "hash32": _type("Hash"),
    "index": _type("Quantity"),
    "list_of.<locals>.parse_list": _LIST,
    "log_filter": _type("LogFilter"),
    "loose_quantity": _type("LooseQuantity"),
    "percentiles": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 100}},
    "quantity": _type("Quantity"),
    "quantity64": _type("Quantity"),
    "raw_object": _type("object"),
    "state_overrides": _type("StateOverride"),
    "storage_key": _type("StorageKey"),
    "text": _type("string"),
    "trace_options": _type("TraceConfig"),
    "tx_request": _type("TransactionRequest"),
    "_any_block": {"oneOf": [_type("BlockNumber"), {"type": "integer", "minimum": 0}]},
    "_anything": _type("Anything"),
    "_attributes": _type("object"),
    "_block_hash": _type("Hash"),
    "_duration.<locals>.parse": {"anyOf": [_type("LooseQuantity"), {"type": "number", "minimum": 0}]},
    "_filter": _type("object"),
    "_hash_prefix": _type("Bytes"),
    "_hash_ref": _type("Hash"),
    "_kinds": {"type": "array", "items": {"enum": ["trace"]}},
    "_message": _type("string"),
    "_path": {"type": "array", "items": _type("LooseQuantity")},
    "_raw_block": _type("Bytes"),
    "_signature": _type("Bytes"),
    "_simulation": _type("object"),
    "_typed_data": {"oneOf": [_type("object"), _type("string")]},
}

# "names: type", by method.
_RESULT_ROWS: Final = """
anvil_dropTransaction: Hash?
anvil_dumpState hardhat_dumpState: Bytes
anvil_metadata hardhat_metadata: Metadata
anvil_mineDetailed evm_mineDetailed anvil_mine_detailed evm_mine_detailed: Block*
anvil_nodeInfo: NodeInfo
anvil_snapshot evm_snapshot evm_mine: Quantity
debug_getRawBlock debug_getRawHeader debug_getRawTransaction: Bytes
debug_getRawReceipts: Bytes*
debug_storageRangeAt: StorageRange
debug_traceBlock debug_traceBlockByHash debug_traceBlockByNumber: BlockTrace*
debug_traceCall debug_traceTransaction: Trace
erigon_getHeaderByNumber eth_getHeaderByHash eth_getHeaderByNumber: Header?
eth_accounts eth_requestAccounts: Address*
eth_baseFee: Quantity?
eth_blobBaseFee eth_blockNumber eth_chainId eth_estimateGas eth_gasPrice eth_getBalance: Quantity
eth_getTransactionCount eth_maxPriorityFeePerGas eth_newBlockFilter eth_newFilter: Quantity
eth_newPendingTransactionFilter eth_protocolVersion net_peerCount eth_subscribe: Quantity
eth_call eth_getCode eth_sign eth_signTypedData eth_signTypedData_v3 eth_signTypedData_v4 personal_sign: Bytes
eth_getAccount: Account
eth_getAccountInfo: AccountInfo
eth_hashrate: Quantity
eth_coinbase personal_ecRecover: Address
eth_createAccessList: AccessListResult
eth_feeHistory: FeeHistory
eth_fillTransaction: FilledTransaction
eth_getBlockByHash eth_getBlockByNumber: Block?
eth_getBlockReceipts: Receipt*?
eth_getBlockTransactionCountByHash eth_getBlockTransactionCountByNumber: Quantity?
eth_getFilterChanges: FilterChange*
eth_getFilterLogs eth_getLogs: Log*
eth_getProof: Proof
eth_getRawTransactionByBlockHashAndIndex eth_getRawTransactionByBlockNumberAndIndex: Bytes?
eth_getRawTransactionByHash: Bytes?
eth_getStorageAt: Hash
eth_getTransactionByBlockHashAndIndex eth_getTransactionByBlockNumberAndIndex eth_getTransactionByHash: Transaction?
eth_getTransactionBySenderAndNonce: Transaction?
eth_getTransactionReceipt: Receipt?
eth_getUncleByBlockHashAndIndex eth_getUncleByBlockNumberAndIndex: Header?
eth_getUncleCountByBlockHash eth_getUncleCountByBlockNumber: Quantity?
eth_pendingTransactions: Transaction*
eth_sendRawTransaction eth_sendTransaction eth_sendUnsignedTransaction web3_sha3: Hash
eth_sendRawTransactionSync eth_sendTransactionSync: Receipt
eth_signTransaction: SignedTransaction
ewasm_check: CheckReport
ewasm_gasReport: GasReport?
ewasm_profile: Profile
ewasm_traceTransaction: StepTrace
ots_getTransactionBySenderAndNonce: Hash?
ots_getTransactionError: Bytes
trace_block trace_transaction: FlatTrace*?
trace_call trace_replayTransaction: Replayed
trace_filter: FlatTrace*
trace_replayBlockTransactions: Replayed*
trace_get: FlatTrace?
txpool_content txpool_contentFrom txpool_inspect: PoolContent
txpool_status: PoolStatus
"""
RESULTS: Final[dict[str, Schema]] = {
    name: _type(row.split(": ")[1]) for row in _RESULT_ROWS.strip().splitlines() for name in row.split(": ")[0].split()
}

# Where the function's own first line is only the method's name.
SUMMARIES: Final[dict[str, str]] = {
    "eth_accounts": "The node's accounts, whose keys it holds.",
    "eth_blockNumber": "Number of the latest block.",
    "eth_call": "Run a call on a block's state without leaving a trace.",
    "eth_createAccessList": "The accounts and slots that a transaction touches.",
    "eth_estimateGas": "The least gas with which a transaction succeeds.",
    "eth_feeHistory": "Fees of past blocks, and the tips paid at percentiles.",
    "eth_gasPrice": "Wei that a legacy transaction should offer.",
    "eth_getBalance": "Wei that an account holds.",
    "eth_getBlockByHash": "A block by hash.",
    "eth_getBlockByNumber": "A block by number or tag.",
    "eth_getBlockReceipts": "All receipts of a block.",
    "eth_getBlockTransactionCountByHash": "How many transactions a block has, by hash.",
    "eth_getBlockTransactionCountByNumber": "How many transactions a block has, by number or tag.",
    "eth_getCode": "An account's code, as submitted.",
    "eth_getHeaderByHash": "A header by hash.",
    "eth_getHeaderByNumber": "A header by number or tag.",
    "eth_getLogs": "Logs that match a filter.",
    "eth_getProof": "An account and slots of its storage with Merkle proofs (EIP-1186).",
    "eth_getRawTransactionByBlockHashAndIndex": "A transaction as signed, by its place in a block.",
    "eth_getRawTransactionByBlockNumberAndIndex": "A transaction as signed, by its place in a block.",
    "eth_getRawTransactionByHash": "A transaction as signed, mined or waiting.",
    "eth_getStorageAt": "A slot of an account's storage.",
    "eth_getStorageValues": "Slots of several accounts' storage.",
    "eth_getTransactionByBlockHashAndIndex": "A transaction by its place in a block.",
    "eth_getTransactionByBlockNumberAndIndex": "A transaction by its place in a block.",
    "eth_getTransactionByHash": "A transaction, mined or waiting.",
    "eth_getTransactionCount": "An account's nonce; for pending, the one its next transaction needs.",
    "eth_getTransactionReceipt": "A mined transaction's receipt.",
    "eth_getUncleByBlockHashAndIndex": "An uncle's header.",
    "eth_getUncleByBlockNumberAndIndex": "An uncle's header.",
    "eth_getUncleCountByBlockHash": "How many uncles a block has.",
    "eth_getUncleCountByBlockNumber": "How many uncles a block has.",
    "eth_maxPriorityFeePerGas": "Wei that a tip should be.",
    "eth_newBlockFilter": "A filter for new blocks, to be polled.",
    "eth_newFilter": "A filter for logs, to be polled.",
    "eth_newPendingTransactionFilter": "A filter for transactions new in the pool, to be polled.",
    "eth_requestAccounts": "The node's accounts, as wallets are asked for them.",
    "eth_sendRawTransaction": "Take a signed transaction; with automine it is mined before the answer.",
    "eth_sendTransaction": "Fill in, sign and send a transaction of an unlocked or impersonated account.",
    "eth_simulateV1": "Run blocks of calls one behind the other without leaving a trace.",
    "eth_uninstallFilter": "Forget a filter.",
    "eth_unsubscribe": "End a subscription.",
}
