;; A counter with Solidity's selectors: number(), increment(), setNumber(uint256).
;;
;; Memory: 0 the storage key (32 zero bytes: slot 0), 32 the number as a big-endian word, 64 the first four bytes of
;; call data, 80 the call value.
(module
  (import "ethereum" "getCallDataSize" (func $getCallDataSize (result i32)))
  (import "ethereum" "callDataCopy" (func $callDataCopy (param i32 i32 i32)))
  (import "ethereum" "getCallValue" (func $getCallValue (param i32)))
  (import "ethereum" "storageLoad" (func $storageLoad (param i32 i32)))
  (import "ethereum" "storageStore" (func $storageStore (param i32 i32)))
  (import "ethereum" "finish" (func $finish (param i32 i32)))
  (import "ethereum" "revert" (func $revert (param i32 i32)))

  (memory (export "memory") 1 1)

  ;; Add one to the 32 bytes at 32: from the last byte up, as long as a byte wraps to zero.
  (func $add_one (local $at i32) (local $byte i32)
    (local.set $at (i32.const 63))
    (loop $carry
      (local.set $byte (i32.and (i32.add (i32.load8_u (local.get $at)) (i32.const 1)) (i32.const 255)))
      (i32.store8 (local.get $at) (local.get $byte))
      (if (i32.eqz (local.get $byte))
        (then
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br_if $carry (i32.ge_u (local.get $at) (i32.const 32)))))))

  (func $refuse
    (call $revert (i32.const 0) (i32.const 0)))

  (func $main (export "main") (local $selector i32)
    (call $getCallValue (i32.const 80))
    (if (i64.ne (i64.or (i64.load (i32.const 80)) (i64.load (i32.const 88))) (i64.const 0))
      (then (call $refuse)))
    (if (i32.lt_u (call $getCallDataSize) (i32.const 4))
      (then (call $refuse)))
    (call $callDataCopy (i32.const 64) (i32.const 0) (i32.const 4))
    ;; Memory is little-endian, so selectors are written backwards.
    (local.set $selector (i32.load (i32.const 64)))

    ;; number() = 8381f58a
    (if (i32.eq (local.get $selector) (i32.const 0x8af58183))
      (then
        (call $storageLoad (i32.const 0) (i32.const 32))
        (call $finish (i32.const 32) (i32.const 32))))

    ;; increment() = d09de08a
    (if (i32.eq (local.get $selector) (i32.const 0x8ae09dd0))
      (then
        (call $storageLoad (i32.const 0) (i32.const 32))
        (call $add_one)
        (call $storageStore (i32.const 0) (i32.const 32))
        (call $finish (i32.const 0) (i32.const 0))))

    ;; setNumber(uint256) = 3fb5c1cb
    (if (i32.eq (local.get $selector) (i32.const 0xcbc1b53f))
      (then
        (if (i32.lt_u (call $getCallDataSize) (i32.const 36))
          (then (call $refuse)))
        (call $callDataCopy (i32.const 32) (i32.const 4) (i32.const 32))
        (call $storageStore (i32.const 0) (i32.const 32))
        (call $finish (i32.const 0) (i32.const 0))))

    (call $refuse)))
