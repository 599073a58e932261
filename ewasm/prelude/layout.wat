;; What the prelude's functions have around them.
;;
;; Memory 0 is the contract's; an access beyond its end traps, which fails the frame as the protocol asks. Memory 1 is
;; the environment: the host writes it before the frame starts, the contract has no name for it. Addresses in it are
;; the exported globals; the host reads them from here (`ewasm.prelude.environment`).
;;
;; Nothing here says what a function costs. `ewasm.prelude.link` puts the price of a host function's row in front of it,
;; and makes the calls of module "meter" into a few instructions on the counter.

(import "contract" "memory" (memory $contract 0))
(import "meter" "pay" (func $pay (param i32)))               ;; the row's price for so many bytes of data
(import "meter" "pay_gas" (func $pay_gas (param i64)))       ;; so much whole gas
(import "meter" "gas_left" (func $gas_left (result i64)))    ;; whole gas, rounded down

(memory $env 1)

;; -- written by the host ------------------------------------------------------------------------------------------
;; Addresses are 20 bytes as they are, numbers little-endian.
(global $address (export "address") i32 (i32.const 0))                  ;; 20 bytes
(global $caller (export "caller") i32 (i32.const 32))                   ;; 20 bytes
(global $value (export "value") i32 (i32.const 64))                     ;; u256
(global $origin (export "origin") i32 (i32.const 96))                   ;; 20 bytes
(global $coinbase (export "coinbase") i32 (i32.const 128))              ;; 20 bytes
(global $gas_price (export "gas_price") i32 (i32.const 160))            ;; u256
(global $difficulty (export "difficulty") i32 (i32.const 192))          ;; u256
(global $prev_randao (export "prev_randao") i32 (i32.const 224))        ;; 32 bytes
(global $chain_id (export "chain_id") i32 (i32.const 256))              ;; u256
(global $base_fee (export "base_fee") i32 (i32.const 288))              ;; u256
(global $blob_base_fee (export "blob_base_fee") i32 (i32.const 320))    ;; u256
(global $gas_limit (export "gas_limit") i32 (i32.const 352))            ;; u64
(global $number (export "number") i32 (i32.const 360))                  ;; u64
(global $timestamp (export "timestamp") i32 (i32.const 368))            ;; u64
;; A buffer is a pair: its address, its length, both u32. Blob hashes are 32 bytes each; the length counts hashes.
(global $blob_hashes (export "blob_hashes") i32 (i32.const 376))
(global $call_data (export "call_data") i32 (i32.const 384))
(global $code (export "code") i32 (i32.const 392))
(global $return_data (export "return_data") i32 (i32.const 400))

;; -- written here, read by the host -------------------------------------------------------------------------------
(global $spent (export "spent") i32 (i32.const 408))       ;; i64: particles that functions of the prelude charged
(global $failure (export "failure") i32 (i32.const 416))   ;; u32: why a function stopped with `unreachable`
(global $out_of_range (export "out_of_range") i32 (i32.const 1))
(global $beyond_buffer (export "beyond_buffer") i32 (i32.const 2))

;; -- scratch of one function, worth nothing when it has returned ---------------------------------------------------
(global $dividend i32 (i32.const 512))     ;; 17 words of 32 bits
(global $divisor i32 (i32.const 592))      ;; 8 words
(global $quotient i32 (i32.const 640))     ;; 16 words
(global $shifted i32 (i32.const 752))      ;; 32 bytes between the two paddings
(global $padding_below i32 (i32.const 712))
(global $padding_above i32 (i32.const 784))
(global $lanes i32 (i32.const 832))               ;; 25 words of 64 bits, behind them the block
(global $block i32 (i32.const 1032))              ;; 136 bytes
(global $round_constants (export "round_constants") i32 (i32.const 1168))   ;; 24 words of 64 bits, from a data segment

;; From here on, the buffers.
(global $buffers (export "buffers") i32 (i32.const 1536))

(func $fail (param $reason i32)
  (i32.store $env (global.get $failure) (local.get $reason))
  (unreachable))
