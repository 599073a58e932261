;; What wide arithmetic does, for engines that do not have it; `ewasm.prelude.link` calls these in its place.

(func (export "plain.i64.add128") (param $a i64) (param $a_high i64) (param $b i64) (param $b_high i64) (result i64 i64)
  (local $low i64)
  (local.set $low (i64.add (local.get $a) (local.get $b)))
  (local.get $low)
  (i64.add
    (i64.add (local.get $a_high) (local.get $b_high))
    (i64.extend_i32_u (i64.lt_u (local.get $low) (local.get $a)))))

(func (export "plain.i64.sub128") (param $a i64) (param $a_high i64) (param $b i64) (param $b_high i64) (result i64 i64)
  (i64.sub (local.get $a) (local.get $b))
  (i64.sub
    (i64.sub (local.get $a_high) (local.get $b_high))
    (i64.extend_i32_u (i64.lt_u (local.get $a) (local.get $b)))))

;; From four products of 32-bit halves.
(func (export "plain.i64.mul_wide_u") (param $a i64) (param $b i64) (result i64 i64)
  (local $a_high i64)
  (local $b_high i64)
  (local $low i64)
  (local $middle i64)
  (local $other i64)
  (local.set $a_high (i64.shr_u (local.get $a) (i64.const 32)))
  (local.set $b_high (i64.shr_u (local.get $b) (i64.const 32)))
  (local.set $a (i64.and (local.get $a) (i64.const 0xffffffff)))
  (local.set $b (i64.and (local.get $b) (i64.const 0xffffffff)))
  (local.set $low (i64.mul (local.get $a) (local.get $b)))
  ;; Neither sum overflows: (2^32-1)^2 + 2^32-1 < 2^64.
  (local.set $middle
    (i64.add (i64.mul (local.get $a_high) (local.get $b)) (i64.shr_u (local.get $low) (i64.const 32))))
  (local.set $other
    (i64.add (i64.mul (local.get $a) (local.get $b_high)) (i64.and (local.get $middle) (i64.const 0xffffffff))))
  (i64.or (i64.shl (local.get $other) (i64.const 32)) (i64.and (local.get $low) (i64.const 0xffffffff)))
  (i64.add
    (i64.add (i64.mul (local.get $a_high) (local.get $b_high)) (i64.shr_u (local.get $middle) (i64.const 32)))
    (i64.shr_u (local.get $other) (i64.const 32))))
