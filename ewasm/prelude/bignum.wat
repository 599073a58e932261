;; 256-bit arithmetic on numbers in the contract's memory, 32 bytes little-endian (see `ewasm.eei.bignum`, which is the
;; same on Python integers). A number is four limbs of 64 bits, the lowest first. All operands are read before the
;; result is written, so they may overlap.

(func $store (param $out i32) (param $r0 i64) (param $r1 i64) (param $r2 i64) (param $r3 i64)
  (i64.store offset=24 (local.get $out) (local.get $r3))
  (i64.store offset=16 (local.get $out) (local.get $r2))
  (i64.store offset=8 (local.get $out) (local.get $r1))
  (i64.store (local.get $out) (local.get $r0)))

;; The high half of a 128-bit sum of two limbs is the carry.
(func (export "bignum.add256") (param $a i32) (param $b i32) (param $out i32)
  (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $c i64)
  (i64.add128 (i64.load (local.get $a)) (i64.const 0) (i64.load (local.get $b)) (i64.const 0))
  (local.set $c) (local.set $r0)
  (i64.add128 (i64.load offset=8 (local.get $a)) (i64.const 0) (i64.load offset=8 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r1)
  (i64.add128 (i64.load offset=16 (local.get $a)) (i64.const 0) (i64.load offset=16 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r2)
  (call $store (local.get $out) (local.get $r0) (local.get $r1) (local.get $r2)
    (i64.add (i64.add (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b))) (local.get $c))))

;; The high half of a 128-bit difference is the borrow: 0 or all ones.
(func (export "bignum.sub256") (param $a i32) (param $b i32) (param $out i32)
  (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $c i64)
  (i64.sub128 (i64.load (local.get $a)) (i64.const 0) (i64.load (local.get $b)) (i64.const 0))
  (local.set $c) (local.set $r0)
  (i64.sub128 (i64.load offset=8 (local.get $a)) (i64.const 0) (i64.load offset=8 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (local.get $c))
  (local.set $c) (local.set $r1)
  (i64.sub128 (i64.load offset=16 (local.get $a)) (i64.const 0) (i64.load offset=16 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (local.get $c))
  (local.set $c) (local.set $r2)
  (call $store (local.get $out) (local.get $r0) (local.get $r1) (local.get $r2)
    (i64.add (i64.sub (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b))) (local.get $c))))

;; Schoolbook, row by row: each row keeps what it carries over; products beyond the fourth limb are left out.
(func $mul (param $a0 i64) (param $a1 i64) (param $a2 i64) (param $a3 i64)
           (param $b0 i64) (param $b1 i64) (param $b2 i64) (param $b3 i64) (result i64 i64 i64 i64)
  (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64) (local $c i64)
  (i64.mul_wide_u (local.get $a0) (local.get $b0))
  (local.set $c) (local.set $r0)
  (i64.mul_wide_u (local.get $a0) (local.get $b1))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r1)
  (i64.mul_wide_u (local.get $a0) (local.get $b2))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r2)
  (local.set $r3 (i64.add (i64.mul (local.get $a0) (local.get $b3)) (local.get $c)))
  (i64.mul_wide_u (local.get $a1) (local.get $b0))
  (i64.add128 (local.get $r1) (i64.const 0))
  (local.set $c) (local.set $r1)
  (i64.mul_wide_u (local.get $a1) (local.get $b1))
  (i64.add128 (local.get $r2) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r2)
  (local.set $r3 (i64.add (i64.add (i64.mul (local.get $a1) (local.get $b2)) (local.get $r3)) (local.get $c)))
  (i64.mul_wide_u (local.get $a2) (local.get $b0))
  (i64.add128 (local.get $r2) (i64.const 0))
  (local.set $c) (local.set $r2)
  (local.set $r3 (i64.add (i64.add (i64.mul (local.get $a2) (local.get $b1)) (local.get $r3)) (local.get $c)))
  (local.set $r3 (i64.add (i64.mul (local.get $a3) (local.get $b0)) (local.get $r3)))
  (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3))

(func (export "bignum.mul256") (param $a i32) (param $b i32) (param $out i32)
  (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64)
  (call $mul
    (i64.load (local.get $a)) (i64.load offset=8 (local.get $a))
    (i64.load offset=16 (local.get $a)) (i64.load offset=24 (local.get $a))
    (i64.load (local.get $b)) (i64.load offset=8 (local.get $b))
    (i64.load offset=16 (local.get $b)) (i64.load offset=24 (local.get $b)))
  (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)
  (call $store (local.get $out) (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))

;; Square and multiply from the highest bit that is set. Priced by the bytes of the exponent.
(func (export "bignum.exp256") (param $a i32) (param $b i32) (param $out i32)
  (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64)
  (local $r0 i64) (local $r1 i64) (local $r2 i64) (local $r3 i64)
  (local $bit i32)
  (local.set $bit (call $bit_length (local.get $b)))
  (call $pay (i32.shr_u (i32.add (local.get $bit) (i32.const 7)) (i32.const 3)))
  (local.set $a0 (i64.load (local.get $a)))
  (local.set $a1 (i64.load offset=8 (local.get $a)))
  (local.set $a2 (i64.load offset=16 (local.get $a)))
  (local.set $a3 (i64.load offset=24 (local.get $a)))
  (local.set $r0 (i64.const 1))
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $bit)))
      (local.set $bit (i32.sub (local.get $bit) (i32.const 1)))
      (call $mul
        (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)
        (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3))
      (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)
      (if (i32.and
            (i32.shr_u
              (i32.load8_u (i32.add (local.get $b) (i32.shr_u (local.get $bit) (i32.const 3))))
              (i32.and (local.get $bit) (i32.const 7)))
            (i32.const 1))
        (then
          (call $mul
            (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)
            (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3))
          (local.set $r3) (local.set $r2) (local.set $r1) (local.set $r0)))
      (br $next)))
  (call $store (local.get $out) (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))

(func $bit_length (param $a i32) (result i32)
  (local $limb i64)
  (local $base i32)
  (block $found
    (local.set $base (i32.const 256))
    (br_if $found (i64.ne (local.tee $limb (i64.load offset=24 (local.get $a))) (i64.const 0)))
    (local.set $base (i32.const 192))
    (br_if $found (i64.ne (local.tee $limb (i64.load offset=16 (local.get $a))) (i64.const 0)))
    (local.set $base (i32.const 128))
    (br_if $found (i64.ne (local.tee $limb (i64.load offset=8 (local.get $a))) (i64.const 0)))
    (local.set $base (i32.const 64))
    (local.set $limb (i64.load (local.get $a))))
  (i32.sub (local.get $base) (i32.wrap_i64 (i64.clz (local.get $limb)))))

;; -- bits -----------------------------------------------------------------------------------------------------------

(func (export "bignum.and256") (param $a i32) (param $b i32) (param $out i32)
  (call $store (local.get $out)
    (i64.and (i64.load (local.get $a)) (i64.load (local.get $b)))
    (i64.and (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))
    (i64.and (i64.load offset=16 (local.get $a)) (i64.load offset=16 (local.get $b)))
    (i64.and (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))))

(func (export "bignum.or256") (param $a i32) (param $b i32) (param $out i32)
  (call $store (local.get $out)
    (i64.or (i64.load (local.get $a)) (i64.load (local.get $b)))
    (i64.or (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))
    (i64.or (i64.load offset=16 (local.get $a)) (i64.load offset=16 (local.get $b)))
    (i64.or (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))))

(func (export "bignum.xor256") (param $a i32) (param $b i32) (param $out i32)
  (call $store (local.get $out)
    (i64.xor (i64.load (local.get $a)) (i64.load (local.get $b)))
    (i64.xor (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b)))
    (i64.xor (i64.load offset=16 (local.get $a)) (i64.load offset=16 (local.get $b)))
    (i64.xor (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))))

(func (export "bignum.not256") (param $a i32) (param $out i32)
  (call $store (local.get $out)
    (i64.xor (i64.load (local.get $a)) (i64.const -1))
    (i64.xor (i64.load offset=8 (local.get $a)) (i64.const -1))
    (i64.xor (i64.load offset=16 (local.get $a)) (i64.const -1))
    (i64.xor (i64.load offset=24 (local.get $a)) (i64.const -1))))

;; The number as an index or a shift: below `limit`, or `limit` for everything else.
(func $small (param $a i32) (param $limit i64) (result i32)
  (local $low i64)
  (local.set $low (i64.load (local.get $a)))
  (i32.wrap_i64
    (select
      (local.get $low)
      (local.get $limit)
      (i32.and
        (i64.lt_u (local.get $low) (local.get $limit))
        (i64.eqz
          (i64.or
            (i64.load offset=8 (local.get $a))
            (i64.or (i64.load offset=16 (local.get $a)) (i64.load offset=24 (local.get $a)))))))))

;; Copy b between the two paddings and fill these; a shift then is a load from another address.
(func $spread (param $b i32) (param $fill i64)
  (i64.store $env (global.get $padding_below) (i64.const 0))
  (i64.store $env offset=8 (global.get $padding_below) (i64.const 0))
  (i64.store $env offset=16 (global.get $padding_below) (i64.const 0))
  (i64.store $env offset=24 (global.get $padding_below) (i64.const 0))
  (i64.store $env offset=32 (global.get $padding_below) (i64.const 0))
  (i64.store $env (global.get $shifted) (i64.load (local.get $b)))
  (i64.store $env offset=8 (global.get $shifted) (i64.load offset=8 (local.get $b)))
  (i64.store $env offset=16 (global.get $shifted) (i64.load offset=16 (local.get $b)))
  (i64.store $env offset=24 (global.get $shifted) (i64.load offset=24 (local.get $b)))
  (i64.store $env (global.get $padding_above) (local.get $fill))
  (i64.store $env offset=8 (global.get $padding_above) (local.get $fill))
  (i64.store $env offset=16 (global.get $padding_above) (local.get $fill))
  (i64.store $env offset=24 (global.get $padding_above) (local.get $fill))
  (i64.store $env offset=32 (global.get $padding_above) (local.get $fill)))

(func (export "bignum.shl256") (param $a i32) (param $b i32) (param $out i32)
  (local $shift i32)
  (local $from i32)
  (local $bits i64)
  (local $rest i64)
  (local.set $shift (call $small (local.get $a) (i64.const 256)))
  (call $spread (local.get $b) (i64.const 0))
  (local.set $from (i32.sub (global.get $shifted) (i32.shr_u (local.get $shift) (i32.const 3))))
  (local.set $bits (i64.extend_i32_u (i32.and (local.get $shift) (i32.const 7))))
  (local.set $rest (i64.sub (i64.const 8) (local.get $bits)))
  (call $store (local.get $out)
    (i64.or (i64.shl (i64.load $env (local.get $from)) (local.get $bits))
      (i64.shr_u (i64.load8_u $env (i32.sub (local.get $from) (i32.const 1))) (local.get $rest)))
    (i64.or (i64.shl (i64.load $env offset=8 (local.get $from)) (local.get $bits))
      (i64.shr_u (i64.load8_u $env offset=8 (i32.sub (local.get $from) (i32.const 1))) (local.get $rest)))
    (i64.or (i64.shl (i64.load $env offset=16 (local.get $from)) (local.get $bits))
      (i64.shr_u (i64.load8_u $env offset=16 (i32.sub (local.get $from) (i32.const 1))) (local.get $rest)))
    (i64.or (i64.shl (i64.load $env offset=24 (local.get $from)) (local.get $bits))
      (i64.shr_u (i64.load8_u $env offset=24 (i32.sub (local.get $from) (i32.const 1))) (local.get $rest)))))

;; b moved down by `shift` bits, `fill` coming in from above.
(func $shift_down (param $shift i32) (param $b i32) (param $fill i64) (param $out i32)
  (local $from i32)
  (local $bits i64)
  (local $rest i64)
  (call $spread (local.get $b) (local.get $fill))
  (local.set $from (i32.add (global.get $shifted) (i32.shr_u (local.get $shift) (i32.const 3))))
  (local.set $bits (i64.extend_i32_u (i32.and (local.get $shift) (i32.const 7))))
  ;; The byte above comes in by two shifts, since one by 64 would be one by 0.
  (local.set $rest (i64.sub (i64.const 63) (local.get $bits)))
  (call $store (local.get $out)
    (i64.or (i64.shr_u (i64.load $env (local.get $from)) (local.get $bits))
      (i64.shl (i64.shl (i64.load8_u $env offset=8 (local.get $from)) (local.get $rest)) (i64.const 1)))
    (i64.or (i64.shr_u (i64.load $env offset=8 (local.get $from)) (local.get $bits))
      (i64.shl (i64.shl (i64.load8_u $env offset=16 (local.get $from)) (local.get $rest)) (i64.const 1)))
    (i64.or (i64.shr_u (i64.load $env offset=16 (local.get $from)) (local.get $bits))
      (i64.shl (i64.shl (i64.load8_u $env offset=24 (local.get $from)) (local.get $rest)) (i64.const 1)))
    (i64.or (i64.shr_u (i64.load $env offset=24 (local.get $from)) (local.get $bits))
      (i64.shl (i64.shl (i64.load8_u $env offset=32 (local.get $from)) (local.get $rest)) (i64.const 1)))))

(func (export "bignum.shr256") (param $a i32) (param $b i32) (param $out i32)
  (call $shift_down (call $small (local.get $a) (i64.const 256)) (local.get $b) (i64.const 0) (local.get $out)))

(func (export "bignum.sar256") (param $a i32) (param $b i32) (param $out i32)
  (call $shift_down
    (call $small (local.get $a) (i64.const 256))
    (local.get $b)
    (i64.shr_s (i64.load offset=24 (local.get $b)) (i64.const 63))
    (local.get $out)))

;; Counted from the most significant byte. Beyond 31, the padding above: 0.
(func (export "bignum.byte256") (param $a i32) (param $b i32) (param $out i32)
  (local $index i32)
  (local.set $index (call $small (local.get $a) (i64.const 32)))
  (call $spread (local.get $b) (i64.const 0))
  (call $store (local.get $out)
    (i64.load8_u $env (i32.sub (i32.add (global.get $shifted) (i32.const 31)) (local.get $index)))
    (i64.const 0) (i64.const 0) (i64.const 0)))

;; The sign of byte a of b, counted from the least significant, in everything above it.
(func (export "bignum.signextend256") (param $a i32) (param $b i32) (param $out i32)
  (local $index i32)
  (local.set $index (call $small (local.get $a) (i64.const 31)))
  (call $spread (local.get $b) (i64.const 0))
  (memory.fill $env
    (i32.add (i32.add (global.get $shifted) (local.get $index)) (i32.const 1))
    (i32.shr_s (i32.load8_s $env (i32.add (global.get $shifted) (local.get $index))) (i32.const 8))
    (i32.sub (i32.const 31) (local.get $index)))
  (call $give_256 (global.get $shifted) (local.get $out)))

;; -- comparisons ----------------------------------------------------------------------------------------------------

;; a < b, by the highest limb in which they differ.
(func $less (param $a i32) (param $b i32) (result i32)
  (local $x i64)
  (local $y i64)
  (local $decided i32)
  ;; All limbs are read, so that a number beyond the memory's end fails whatever the other is.
  (local.set $decided (i64.lt_u (i64.load (local.get $a)) (i64.load (local.get $b))))
  (local.set $x (i64.load offset=8 (local.get $a)))
  (local.set $y (i64.load offset=8 (local.get $b)))
  (local.set $decided
    (select (local.get $decided) (i64.lt_u (local.get $x) (local.get $y)) (i64.eq (local.get $x) (local.get $y))))
  (local.set $x (i64.load offset=16 (local.get $a)))
  (local.set $y (i64.load offset=16 (local.get $b)))
  (local.set $decided
    (select (local.get $decided) (i64.lt_u (local.get $x) (local.get $y)) (i64.eq (local.get $x) (local.get $y))))
  (local.set $x (i64.load offset=24 (local.get $a)))
  (local.set $y (i64.load offset=24 (local.get $b)))
  (local.set $decided
    (select (local.get $decided) (i64.lt_u (local.get $x) (local.get $y)) (i64.eq (local.get $x) (local.get $y))))
  (local.get $decided))

;; Where the signs differ the negative one is less; else as unsigned.
(func $less_signed (param $a i32) (param $b i32) (result i32)
  (i32.xor
    (call $less (local.get $a) (local.get $b))
    (i64.lt_s
      (i64.xor (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))
      (i64.const 0))))

(func (export "bignum.lt256") (param $a i32) (param $b i32) (result i32) (call $less (local.get $a) (local.get $b)))
(func (export "bignum.gt256") (param $a i32) (param $b i32) (result i32) (call $less (local.get $b) (local.get $a)))
(func (export "bignum.slt256") (param $a i32) (param $b i32) (result i32)
  (call $less_signed (local.get $a) (local.get $b)))
(func (export "bignum.sgt256") (param $a i32) (param $b i32) (result i32)
  (call $less_signed (local.get $b) (local.get $a)))

(func (export "bignum.eq256") (param $a i32) (param $b i32) (result i32)
  (i64.eqz
    (i64.or
      (i64.or
        (i64.xor (i64.load (local.get $a)) (i64.load (local.get $b)))
        (i64.xor (i64.load offset=8 (local.get $a)) (i64.load offset=8 (local.get $b))))
      (i64.or
        (i64.xor (i64.load offset=16 (local.get $a)) (i64.load offset=16 (local.get $b)))
        (i64.xor (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))))))

(func (export "bignum.iszero256") (param $a i32) (result i32)
  (i64.eqz
    (i64.or
      (i64.or (i64.load (local.get $a)) (i64.load offset=8 (local.get $a)))
      (i64.or (i64.load offset=16 (local.get $a)) (i64.load offset=24 (local.get $a))))))
