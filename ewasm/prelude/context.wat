;; Message, transaction and block fields; gas; call data, code and return data (see `ewasm.eei.context`, `gas`, `data`).

(func (export "ethereum.useGas") (param $gas i64)
  (if (i64.lt_s (local.get $gas) (i64.const 0)) (then (call $fail (global.get $out_of_range))))
  (call $pay_gas (local.get $gas)))

(func (export "ethereum.getGasLeft") (result i64) (call $gas_left))

(func $give_address (param $from i32) (param $out i32)
  (i32.store offset=16 (local.get $out) (i32.load $env offset=16 (local.get $from)))
  (i64.store offset=8 (local.get $out) (i64.load $env offset=8 (local.get $from)))
  (i64.store (local.get $out) (i64.load $env (local.get $from))))

(func $give_256 (param $from i32) (param $out i32)
  (i64.store offset=24 (local.get $out) (i64.load $env offset=24 (local.get $from)))
  (i64.store offset=16 (local.get $out) (i64.load $env offset=16 (local.get $from)))
  (i64.store offset=8 (local.get $out) (i64.load $env offset=8 (local.get $from)))
  (i64.store (local.get $out) (i64.load $env (local.get $from))))

;; A number that must fit 128 bits.
(func $give_128 (param $from i32) (param $out i32)
  (if (i64.ne
        (i64.or (i64.load $env offset=16 (local.get $from)) (i64.load $env offset=24 (local.get $from)))
        (i64.const 0))
    (then (call $fail (global.get $out_of_range))))
  (i64.store offset=8 (local.get $out) (i64.load $env offset=8 (local.get $from)))
  (i64.store (local.get $out) (i64.load $env (local.get $from))))

(func (export "ethereum.getAddress") (param $out i32)
  (i32.store offset=16 (local.get $out) (i32.load $env offset=16 (global.get $address)))
  (i64.store offset=8 (local.get $out) (i64.load $env offset=8 (global.get $address)))
  (i64.store (local.get $out) (i64.load $env (global.get $address))))
(func (export "ethereum.getCaller") (param $out i32)
  (i32.store offset=16 (local.get $out) (i32.load $env offset=16 (global.get $caller)))
  (i64.store offset=8 (local.get $out) (i64.load $env offset=8 (global.get $caller)))
  (i64.store (local.get $out) (i64.load $env (global.get $caller))))
(func (export "ethereum.getTxOrigin") (param $out i32) (call $give_address (global.get $origin) (local.get $out)))
(func (export "ethereum.getBlockCoinbase") (param $out i32)
  (call $give_address (global.get $coinbase) (local.get $out)))

(func (export "ethereum.getCallValue") (param $out i32) (call $give_128 (global.get $value) (local.get $out)))
(func (export "ethereum.getTxGasPrice") (param $out i32) (call $give_128 (global.get $gas_price) (local.get $out)))
(func (export "ethereum.getBlockDifficulty") (param $out i32)
  (call $give_256 (global.get $difficulty) (local.get $out)))
(func (export "ethereum.getPrevRandao") (param $out i32) (call $give_256 (global.get $prev_randao) (local.get $out)))
(func (export "ethereum.getChainId") (param $out i32) (call $give_256 (global.get $chain_id) (local.get $out)))
(func (export "ethereum.getBaseFee") (param $out i32) (call $give_256 (global.get $base_fee) (local.get $out)))
(func (export "ethereum.getBlobBaseFee") (param $out i32)
  (call $give_256 (global.get $blob_base_fee) (local.get $out)))

(func (export "ethereum.getBlockGasLimit") (result i64) (i64.load $env (global.get $gas_limit)))
(func (export "ethereum.getBlockNumber") (result i64) (i64.load $env (global.get $number)))
(func (export "ethereum.getBlockTimestamp") (result i64) (i64.load $env (global.get $timestamp)))

(func (export "ethereum.getBlobHash") (param $index i32) (param $out i32) (result i32)
  (if (i32.ge_u (local.get $index) (i32.load $env offset=4 (global.get $blob_hashes)))
    (then (return (i32.const 1))))
  (call $give_256
    (i32.add (i32.load $env (global.get $blob_hashes)) (i32.shl (local.get $index) (i32.const 5)))
    (local.get $out))
  (i32.const 0))

(func (export "ethereum.getCallDataSize") (result i32) (i32.load $env offset=4 (global.get $call_data)))
(func (export "ethereum.getCodeSize") (result i32) (i32.load $env offset=4 (global.get $code)))
(func (export "ethereum.getReturnDataSize") (result i32) (i32.load $env offset=4 (global.get $return_data)))

(func (export "ethereum.callDataCopy") (param $out i32) (param $offset i32) (param $length i32)
  (call $pay (local.get $length))
  (call $copy (global.get $call_data) (local.get $out) (local.get $offset) (local.get $length)))
(func (export "ethereum.codeCopy") (param $out i32) (param $offset i32) (param $length i32)
  (call $pay (local.get $length))
  (call $copy (global.get $code) (local.get $out) (local.get $offset) (local.get $length)))
(func (export "ethereum.returnDataCopy") (param $out i32) (param $offset i32) (param $length i32)
  (call $pay (local.get $length))
  (call $copy (global.get $return_data) (local.get $out) (local.get $offset) (local.get $length)))

;; A range that leaves the buffer fails; the EVM would pad. Lengths that occur in every contract do without memory.copy,
;; which Wasmtime makes a call of.
(func $copy (param $buffer i32) (param $out i32) (param $offset i32) (param $length i32)
  (local $from i32)
  (if (i64.gt_u
        (i64.add (i64.extend_i32_u (local.get $offset)) (i64.extend_i32_u (local.get $length)))
        (i64.extend_i32_u (i32.load $env offset=4 (local.get $buffer))))
    (then (call $fail (global.get $beyond_buffer))))
  (local.set $from (i32.add (i32.load $env (local.get $buffer)) (local.get $offset)))
  (if (i32.eq (local.get $length) (i32.const 32))
    (then (call $give_256 (local.get $from) (local.get $out)) (return)))
  (if (i32.eq (local.get $length) (i32.const 4))
    (then (i32.store (local.get $out) (i32.load $env (local.get $from))) (return)))
  (memory.copy $contract $env (local.get $out) (local.get $from) (local.get $length)))
