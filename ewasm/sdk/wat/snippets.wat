;; Pieces of contracts in WebAssembly text, to copy from: each function stands alone with the imports it names. Together they
;; are a contract that a test runs:
;;
;; abi: constructor(uint256 first)
;; abi: function start() view returns (uint256)
;; abi: function poke(uint256 value)
;; abi: function put(address who, uint256 value)
;; abi: function get(address who) view returns (uint256)
;; abi: function add(uint256 a, uint256 b) pure returns (uint256)
;; abi: function say(uint256 a, uint256 b)
;; abi: function fail() pure
;; abi: function ask(address to) view returns (uint256)
;; abi: function tell(address to, uint256 value)
;; abi: event Said(uint256 indexed a, uint256 b)
;;
;; A word is 32 bytes as the ABI and storage have them: numbers big-endian, an address behind twelve zero bytes. Host
;; functions that calculate want numbers little-endian: $reverse goes from one to the other.
;;
;; Memory here: 0 scratch of the snippets (256 bytes), 256 to 1023 words of the contract, 1024 constants, 2048 what is sent
;; and returned.
(module
  (import "ethereum" "getCallDataSize" (func $getCallDataSize (result i32)))
  (import "ethereum" "callDataCopy" (func $callDataCopy (param i32 i32 i32)))
  (import "ethereum" "getCallValue" (func $getCallValue (param i32)))
  (import "ethereum" "getReturnDataSize" (func $getReturnDataSize (result i32)))
  (import "ethereum" "returnDataCopy" (func $returnDataCopy (param i32 i32 i32)))
  (import "ethereum" "storageLoad" (func $storageLoad (param i32 i32)))
  (import "ethereum" "storageStore" (func $storageStore (param i32 i32)))
  (import "ethereum" "log" (func $log (param i32 i32 i32 i32 i32 i32 i32)))
  (import "ethereum" "call" (func $call (param i64 i32 i32 i32 i32) (result i32)))
  (import "ethereum" "callStatic" (func $callStatic (param i64 i32 i32 i32) (result i32)))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "ethereum" "revert" (func $revert (param i32 i32)))
  (import "bignum" "add256" (func $add256 (param i32 i32 i32)))
  (import "crypto" "keccak256" (func $keccak256 (param i32 i32 i32)))

  (memory (export "memory") 1 1)

  ;; ---- ends ----

  ;; Revert with nothing to say, as Solidity does for malformed call data.
  (func $refuse
    (call $revert (i32.const 0) (i32.const 0))
    (unreachable))

  ;; Revert with `Error(string)`: the reason's text lies at $text, at most 96 bytes of it. Writes 164 bytes from 2048 on,
  ;; which must be zeros so far.
  (func $revert_with (param $text i32) (param $length i32) (local $i i32)
    (i32.store (i32.const 2048) (i32.const 0xa079c308))
    (i32.store8 (i32.const 2083) (i32.const 32))
    (i32.store8 (i32.const 2115) (local.get $length))
    (loop $copy
      (if (i32.lt_u (local.get $i) (local.get $length))
        (then
          (i32.store8 offset=2116 (local.get $i) (i32.load8_u (i32.add (local.get $text) (local.get $i))))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $copy))))
    (call $revert (i32.const 2048)
      (i32.add (i32.const 68) (i32.and (i32.add (local.get $length) (i32.const 31)) (i32.const -32))))
    (unreachable))

  ;; Revert with what the last call returned.
  (func $revert_returned
    (call $returnDataCopy (i32.const 2048) (i32.const 0) (call $getReturnDataSize))
    (call $revert (i32.const 2048) (call $getReturnDataSize))
    (unreachable))

  ;; ---- the message ----

  ;; The first four bytes of call data as they lie in memory (so the bytes of a selector are swapped), 0 if there are fewer.
  (func $selector (result i32)
    (if (i32.lt_u (call $getCallDataSize) (i32.const 4)) (then (return (i32.const 0))))
    (call $callDataCopy (i32.const 0) (i32.const 0) (i32.const 4))
    (i32.load (i32.const 0)))

  ;; Copy argument $index to $to; $base is 4 behind a selector and 0 in a constructor.
  (func $argument (param $base i32) (param $index i32) (param $to i32) (local $offset i32)
    (local.set $offset (i32.add (local.get $base) (i32.shl (local.get $index) (i32.const 5))))
    (if (i32.lt_u (call $getCallDataSize) (i32.add (local.get $offset) (i32.const 32))) (then (call $refuse)))
    (call $callDataCopy (local.get $to) (local.get $offset) (i32.const 32)))

  ;; The same, refused unless it is an address: twelve zero bytes, then twenty.
  (func $argument_address (param $base i32) (param $index i32) (param $to i32)
    (call $argument (local.get $base) (local.get $index) (local.get $to))
    (if (i64.ne (i64.or (i64.load (local.get $to)) (i64.load32_u offset=8 (local.get $to))) (i64.const 0))
      (then (call $refuse))))

  ;; Revert if value was sent.
  (func $refuse_value
    (call $getCallValue (i32.const 0))
    (if (i64.ne (i64.or (i64.load (i32.const 0)) (i64.load (i32.const 8))) (i64.const 0)) (then (call $refuse))))

  ;; ---- words and numbers ----

  (func $swap (param $x i64) (result i64)
    (local.set $x (i64.or
      (i64.and (i64.shr_u (local.get $x) (i64.const 8)) (i64.const 0x00ff00ff00ff00ff))
      (i64.shl (i64.and (local.get $x) (i64.const 0x00ff00ff00ff00ff)) (i64.const 8))))
    (local.set $x (i64.or
      (i64.and (i64.shr_u (local.get $x) (i64.const 16)) (i64.const 0x0000ffff0000ffff))
      (i64.shl (i64.and (local.get $x) (i64.const 0x0000ffff0000ffff)) (i64.const 16))))
    (i64.rotl (local.get $x) (i64.const 32)))

  ;; Turn the 32 bytes at $at around, where they lie.
  (func $reverse (param $at i32) (local $a i64) (local $b i64)
    (local.set $a (i64.load (local.get $at)))
    (local.set $b (i64.load offset=8 (local.get $at)))
    (i64.store (local.get $at) (call $swap (i64.load offset=24 (local.get $at))))
    (i64.store offset=8 (local.get $at) (call $swap (i64.load offset=16 (local.get $at))))
    (i64.store offset=16 (local.get $at) (call $swap (local.get $b)))
    (i64.store offset=24 (local.get $at) (call $swap (local.get $a))))

  ;; The word at $a becomes the sum of those at $a and $b, which is left turned around.
  (func $add_words (param $a i32) (param $b i32)
    (call $reverse (local.get $a))
    (call $reverse (local.get $b))
    (call $add256 (local.get $a) (local.get $b) (local.get $a))
    (call $reverse (local.get $a)))

  ;; ---- storage ----

  ;; Where `mapping[key]` of the mapping declared at slot number $slot lies, as Solidity has it: keccak256(key . slot).
  (func $mapping_slot (param $key i32) (param $slot i32) (param $to i32)
    (i64.store (i32.const 0) (i64.load (local.get $key)))
    (i64.store (i32.const 8) (i64.load offset=8 (local.get $key)))
    (i64.store (i32.const 16) (i64.load offset=16 (local.get $key)))
    (i64.store (i32.const 24) (i64.load offset=24 (local.get $key)))
    (i64.store (i32.const 32) (i64.const 0))
    (i64.store (i32.const 40) (i64.const 0))
    (i64.store (i32.const 48) (i64.const 0))
    (i64.store (i32.const 56) (call $swap (i64.extend_i32_u (local.get $slot))))
    (call $keccak256 (i32.const 0) (i32.const 64) (local.get $to)))

  ;; ---- calls ----

  ;; Call data at 2048: a selector as it lies in memory, and one word.
  (func $call_data (param $selector i32) (param $word i32)
    (i32.store (i32.const 2048) (local.get $selector))
    (i64.store (i32.const 2052) (i64.load (local.get $word)))
    (i64.store (i32.const 2060) (i64.load offset=8 (local.get $word)))
    (i64.store (i32.const 2068) (i64.load offset=16 (local.get $word)))
    (i64.store (i32.const 2076) (i64.load offset=24 (local.get $word))))

  ;; ---- the contract ----

  (data (i32.const 1024) "\cb\4a\77\6b\6f\65\f6\95\bd\45\92\87\50\0a\4f\13\5e\88\a6\af\2f\b5\6b\37\0b\fc\77\67\8b\8a\81\b1")
  (data (i32.const 1056) "snippets: on purpose")

  (func (export "deploy")
    (call $argument (i32.const 0) (i32.const 0) (i32.const 256))
    ;; 320: a word of zeros, the key of slot 0.
    (call $storageStore (i32.const 320) (i32.const 256)))

  (func (export "main") (local $which i32)
    (call $refuse_value)
    (local.set $which (call $selector))
    ;; start()
    (if (i32.eq (local.get $which) (i32.const 0x55659abe))
      (then
        (call $storageLoad (i32.const 320) (i32.const 256))
        (call $finish (i32.const 256) (i32.const 32))))
    ;; poke(uint256)
    (if (i32.eq (local.get $which) (i32.const 0x905f1432))
      (then
        (call $argument (i32.const 4) (i32.const 0) (i32.const 256))
        (call $storageStore (i32.const 320) (i32.const 256))
        (return)))
    ;; put(address,uint256)
    (if (i32.eq (local.get $which) (i32.const 0xc6538d7f))
      (then
        (call $argument_address (i32.const 4) (i32.const 0) (i32.const 256))
        (call $argument (i32.const 4) (i32.const 1) (i32.const 288))
        (call $mapping_slot (i32.const 256) (i32.const 1) (i32.const 352))
        (call $storageStore (i32.const 352) (i32.const 288))
        (return)))
    ;; get(address)
    (if (i32.eq (local.get $which) (i32.const 0xfc2ebcc2))
      (then
        (call $argument_address (i32.const 4) (i32.const 0) (i32.const 256))
        (call $mapping_slot (i32.const 256) (i32.const 1) (i32.const 352))
        (call $storageLoad (i32.const 352) (i32.const 256))
        (call $finish (i32.const 256) (i32.const 32))))
    ;; add(uint256,uint256)
    (if (i32.eq (local.get $which) (i32.const 0xf7021677))
      (then
        (call $argument (i32.const 4) (i32.const 0) (i32.const 256))
        (call $argument (i32.const 4) (i32.const 1) (i32.const 288))
        (call $add_words (i32.const 256) (i32.const 288))
        (call $finish (i32.const 256) (i32.const 32))))
    ;; say(uint256,uint256): data, its length, two topics, where they lie; the other two are not read
    (if (i32.eq (local.get $which) (i32.const 0xe0a4d7b7))
      (then
        (call $argument (i32.const 4) (i32.const 0) (i32.const 256))
        (call $argument (i32.const 4) (i32.const 1) (i32.const 288))
        (call $log (i32.const 288) (i32.const 32) (i32.const 2)
          (i32.const 1024) (i32.const 256) (i32.const 0) (i32.const 0))
        (return)))
    ;; fail()
    (if (i32.eq (local.get $which) (i32.const 0x1847cca9))
      (then (call $revert_with (i32.const 1056) (i32.const 20))))
    ;; ask(address): start() of another contract, with all the gas there is
    (if (i32.eq (local.get $which) (i32.const 0x3b56f563))
      (then
        (call $argument_address (i32.const 4) (i32.const 0) (i32.const 256))
        (call $call_data (i32.const 0x55659abe) (i32.const 320))
        (if (call $callStatic (i64.const 0x7fffffffffffffff) (i32.const 268) (i32.const 2048) (i32.const 4))
          (then (call $revert_returned)))
        (call $returnDataCopy (i32.const 256) (i32.const 0) (i32.const 32))
        (call $finish (i32.const 256) (i32.const 32))))
    ;; tell(address,uint256): poke(uint256) of another contract; the value that is sent along lies at 320: zeros
    (if (i32.eq (local.get $which) (i32.const 0xf93661a4))
      (then
        (call $argument_address (i32.const 4) (i32.const 0) (i32.const 256))
        (call $argument (i32.const 4) (i32.const 1) (i32.const 288))
        (call $call_data (i32.const 0x905f1432) (i32.const 288))
        (if (call $call (i64.const 0x7fffffffffffffff) (i32.const 268) (i32.const 320) (i32.const 2048) (i32.const 36))
          (then (call $revert_returned)))
        (return)))
    (call $refuse)))
