;; A counter that says when it changes. Storage: slot 0 the number.
;;
;; Memory: 0 the storage key (32 zero bytes: slot 0), 32 the number as a big-endian word, 64 the sender as a word, 96 the
;; first four bytes of call data, 112 the call value, 128 the event's topic: keccak256("NumberChanged(address,uint256)").
(module
  (import "ethereum" "getCallDataSize" (func $getCallDataSize (result i32)))
  (import "ethereum" "callDataCopy" (func $callDataCopy (param $out i32) (param $offset i32) (param $length i32)))
  (import "ethereum" "getCaller" (func $getCaller (param $out i32)))
  (import "ethereum" "getCallValue" (func $getCallValue (param $out i32)))
  (import "ethereum" "storageLoad" (func $storageLoad (param $key i32) (param $out i32)))
  (import "ethereum" "storageStore" (func $storageStore (param $key i32) (param $value i32)))
  (import "ethereum" "log" (func $log (param $data i32) (param $length i32) (param $topics i32)
    (param $topic1 i32) (param $topic2 i32) (param $topic3 i32) (param $topic4 i32)))
  (import "ethereum" "finish" (func $finish (param $data i32) (param $length i32)))
  (import "ethereum" "revert" (func $revert (param $data i32) (param $length i32)))

  (memory (export "memory") 1 1)
  (data (i32.const 128) "\70\de\80\34\c3\1e\91\b3\a3\0e\57\ea\c0\1a\c4\03\96\72\1a\81\83\a1\59\e9\a0\b3\24\a7\18\83\86\e4")

  (func $refuse (call $revert (i32.const 0) (i32.const 0)))

  (func $refuse_value
    (call $getCallValue (i32.const 112))
    (if (i64.ne (i64.or (i64.load (i32.const 112)) (i64.load (i32.const 120))) (i64.const 0)) (then (call $refuse))))

  ;; The word at `offset` of call data, to 32.
  (func $argument (param $offset i32)
    (if (i32.lt_u (call $getCallDataSize) (i32.add (local.get $offset) (i32.const 32))) (then (call $refuse)))
    (call $callDataCopy (i32.const 32) (local.get $offset) (i32.const 32)))

  ;; Store the number at 32 and say so.
  (func $change
    (call $storageStore (i32.const 0) (i32.const 32))
    (call $getCaller (i32.const 76))
    (call $log (i32.const 32) (i32.const 32) (i32.const 2)
      (i32.const 128) (i32.const 64) (i32.const 0) (i32.const 0)))

  ;; Add one to the number at 32: from the last byte up, as long as a byte wraps to zero.
  (func $add_one (local $at i32) (local $byte i32)
    (local.set $at (i32.const 63))
    (loop $carry
      (local.set $byte (i32.and (i32.add (i32.load8_u (local.get $at)) (i32.const 1)) (i32.const 255)))
      (i32.store8 (local.get $at) (local.get $byte))
      (if (i32.eqz (local.get $byte))
        (then
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          ;; All 32 bytes wrapped: the counter is full.
          (if (i32.lt_u (local.get $at) (i32.const 32)) (then (call $refuse)))
          (br $carry)))))

  ;; The constructor: its arguments are call data.
  (func (export "deploy")
    (call $refuse_value)
    (call $argument (i32.const 0))
    (call $storageStore (i32.const 0) (i32.const 32)))

  ;; Every call. Memory is little-endian, so selectors are written backwards.
  (func (export "main") (local $selector i32)
    (call $refuse_value)
    (if (i32.lt_u (call $getCallDataSize) (i32.const 4)) (then (call $refuse)))
    (call $callDataCopy (i32.const 96) (i32.const 0) (i32.const 4))
    (local.set $selector (i32.load (i32.const 96)))

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
        (call $change)
        (return)))

    ;; setNumber(uint256) = 3fb5c1cb
    (if (i32.eq (local.get $selector) (i32.const 0xcbc1b53f))
      (then
        (call $argument (i32.const 4))
        (call $change)
        (return)))

    (call $refuse)))
