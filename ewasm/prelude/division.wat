;; Division (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D) in base 2^32, since Wasm divides 64
;; bits at most. Operands are put into $dividend and $divisor; $quotient gets the quotient, $dividend the remainder.

(func $put (param $at i32) (param $a i32)
  (i64.store $env (local.get $at) (i64.load (local.get $a)))
  (i64.store $env offset=8 (local.get $at) (i64.load offset=8 (local.get $a)))
  (i64.store $env offset=16 (local.get $at) (i64.load offset=16 (local.get $a)))
  (i64.store $env offset=24 (local.get $at) (i64.load offset=24 (local.get $a))))

;; The number without its sign, as 256 bits: -2^255 stays what it is.
(func $put_absolute (param $at i32) (param $a i32)
  (call $put (local.get $at) (local.get $a))
  (if (i64.lt_s (i64.load $env offset=24 (local.get $at)) (i64.const 0)) (then (call $negate (local.get $at)))))

(func $negate (param $at i32)
  (local $c i64)
  (local $r i64)
  (i64.add128 (i64.xor (i64.load $env (local.get $at)) (i64.const -1)) (i64.const 0) (i64.const 1) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env (local.get $at) (local.get $r))
  (i64.add128
    (i64.xor (i64.load $env offset=8 (local.get $at)) (i64.const -1)) (i64.const 0)
    (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=8 (local.get $at) (local.get $r))
  (i64.add128
    (i64.xor (i64.load $env offset=16 (local.get $at)) (i64.const -1)) (i64.const 0)
    (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=16 (local.get $at) (local.get $r))
  (i64.store $env offset=24 (local.get $at)
    (i64.add (i64.xor (i64.load $env offset=24 (local.get $at)) (i64.const -1)) (local.get $c))))

;; Words of 32 bits up to the highest that is not zero, of `count` words at `at`.
(func $significant (param $at i32) (param $count i32) (result i32)
  (block $done
    (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (br_if $done
        (i32.load $env
          (i32.sub (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 2))) (i32.const 4))))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
  (local.get $count))

;; Divide `words` words at $dividend (one more must be there, and zero) by 8 at $divisor, which are not all zero.
(func $divide (param $words i32)
  (local $n i32)           ;; words of the divisor
  (local $j i32)           ;; counts down, as an address in $dividend
  (local $i i32)
  (local $u i32)
  (local $shift i32)
  (local $top i64)         ;; the highest word of the divisor, and the one below
  (local $second i64)
  (local $guess i64)
  (local $rest i64)
  (local $product i64)
  (local $borrow i64)
  (local $t i64)
  (memory.fill $env (global.get $quotient) (i32.const 0) (i32.const 64))
  (local.set $n (call $significant (global.get $divisor) (i32.const 8)))
  (local.set $words (call $significant (global.get $dividend) (local.get $words)))
  (if (i32.lt_u (local.get $words) (local.get $n)) (then (return)))
  (if (i32.le_u (local.get $words) (i32.const 2))
    (then
      (local.set $t (i64.load $env (global.get $dividend)))
      (local.set $top (i64.load $env (global.get $divisor)))
      (i64.store $env (global.get $quotient) (i64.div_u (local.get $t) (local.get $top)))
      (i64.store $env (global.get $dividend) (i64.rem_u (local.get $t) (local.get $top)))
      (return)))
  (if (i32.eq (local.get $n) (i32.const 1)) (then (call $divide_by_word (local.get $words)) (return)))

  ;; D1: shift both until the divisor's highest bit is set. The dividend gets a word more.
  (local.set $shift
    (i32.clz
      (i32.load $env
        (i32.sub (i32.add (global.get $divisor) (i32.shl (local.get $n) (i32.const 2))) (i32.const 4)))))
  (call $shift_words_up (global.get $divisor) (local.get $n) (local.get $shift))
  (call $shift_words_up (global.get $dividend) (i32.add (local.get $words) (i32.const 1)) (local.get $shift))
  (local.set $i (i32.add (global.get $divisor) (i32.shl (local.get $n) (i32.const 2))))
  (local.set $top (i64.load32_u $env (i32.sub (local.get $i) (i32.const 4))))
  (local.set $second (i64.load32_u $env (i32.sub (local.get $i) (i32.const 8))))

  (local.set $j (i32.shl (i32.sub (local.get $words) (local.get $n)) (i32.const 2)))
  (loop $digit
    ;; D3: guess a digit from the two highest words, and be at most one too high after the look at the third.
    (local.set $u
      (i32.add (i32.add (global.get $dividend) (local.get $j)) (i32.shl (local.get $n) (i32.const 2))))
    (local.set $t (i64.load $env (i32.sub (local.get $u) (i32.const 4))))
    (local.set $guess (i64.div_u (local.get $t) (local.get $top)))
    (local.set $rest (i64.sub (local.get $t) (i64.mul (local.get $guess) (local.get $top))))
    (block $good
      (loop $lower
        (br_if $good
          (i32.and
            (i64.eqz (i64.shr_u (local.get $guess) (i64.const 32)))
            (i64.le_u
              (i64.mul (local.get $guess) (local.get $second))
              (i64.or
                (i64.shl (local.get $rest) (i64.const 32))
                (i64.load32_u $env (i32.sub (local.get $u) (i32.const 8)))))))
        (local.set $guess (i64.sub (local.get $guess) (i64.const 1)))
        (local.set $rest (i64.add (local.get $rest) (local.get $top)))
        (br_if $lower (i64.eqz (i64.shr_u (local.get $rest) (i64.const 32))))))

    ;; D4: take that many divisors away.
    (local.set $borrow (i64.const 0))
    (local.set $i (i32.const 0))
    (local.set $u (i32.add (global.get $dividend) (local.get $j)))
    (loop $word
      (local.set $product
        (i64.add
          (local.get $borrow)
          (i64.mul
            (local.get $guess)
            (i64.load32_u $env (i32.add (global.get $divisor) (i32.shl (local.get $i) (i32.const 2)))))))
      (local.set $t
        (i64.sub
          (i64.load32_u $env (local.get $u))
          (i64.and (local.get $product) (i64.const 0xffffffff))))
      (i64.store32 $env (local.get $u) (local.get $t))
      (local.set $borrow
        (i64.sub (i64.shr_u (local.get $product) (i64.const 32)) (i64.shr_s (local.get $t) (i64.const 32))))
      (local.set $u (i32.add (local.get $u) (i32.const 4)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $word (i32.lt_u (local.get $i) (local.get $n))))
    (local.set $t (i64.sub (i64.load32_u $env (local.get $u)) (local.get $borrow)))
    (i64.store32 $env (local.get $u) (local.get $t))

    ;; D6: one too many; give one back.
    (if (i64.lt_s (local.get $t) (i64.const 0))
      (then
        (local.set $guess (i64.sub (local.get $guess) (i64.const 1)))
        (local.set $t (i64.const 0))
        (local.set $i (i32.const 0))
        (local.set $u (i32.add (global.get $dividend) (local.get $j)))
        (loop $word
          (local.set $t
            (i64.add
              (i64.add (local.get $t) (i64.load32_u $env (local.get $u)))
              (i64.load32_u $env (i32.add (global.get $divisor) (i32.shl (local.get $i) (i32.const 2))))))
          (i64.store32 $env (local.get $u) (local.get $t))
          (local.set $t (i64.shr_u (local.get $t) (i64.const 32)))
          (local.set $u (i32.add (local.get $u) (i32.const 4)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $word (i32.lt_u (local.get $i) (local.get $n))))
        (i64.store32 $env (local.get $u) (i64.add (local.get $t) (i64.load32_u $env (local.get $u))))))
    (i64.store32 $env (i32.add (global.get $quotient) (local.get $j)) (local.get $guess))
    (local.set $j (i32.sub (local.get $j) (i32.const 4)))
    (br_if $digit (i32.ge_s (local.get $j) (i32.const 0))))

  ;; D8: the remainder, shifted back.
  (call $shift_words_down (global.get $dividend) (local.get $n) (local.get $shift)))

(func $divide_by_word (param $words i32)
  (local $at i32)
  (local $by i64)
  (local $t i64)
  (local.set $by (i64.load32_u $env (global.get $divisor)))
  (local.set $at (i32.shl (local.get $words) (i32.const 2)))
  (loop $word
    (local.set $at (i32.sub (local.get $at) (i32.const 4)))
    (local.set $t
      (i64.or
        (i64.shl (local.get $t) (i64.const 32))
        (i64.load32_u $env (i32.add (global.get $dividend) (local.get $at)))))
    (i64.store32 $env (i32.add (global.get $quotient) (local.get $at)) (i64.div_u (local.get $t) (local.get $by)))
    (local.set $t (i64.rem_u (local.get $t) (local.get $by)))
    (i32.store $env (i32.add (global.get $dividend) (local.get $at)) (i32.const 0))
    (br_if $word (local.get $at)))
  (i64.store $env (global.get $dividend) (local.get $t)))

(func $shift_words_up (param $at i32) (param $count i32) (param $shift i32)
  (local $carry i64)
  (local $t i64)
  (loop $word
    (local.set $t
      (i64.or
        (i64.shl (i64.load32_u $env (local.get $at)) (i64.extend_i32_u (local.get $shift)))
        (local.get $carry)))
    (i64.store32 $env (local.get $at) (local.get $t))
    (local.set $carry (i64.shr_u (local.get $t) (i64.const 32)))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $word (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

;; The word above the highest is read too: of a remainder it is zero.
(func $shift_words_down (param $at i32) (param $count i32) (param $shift i32)
  (loop $word
    (i64.store32 $env (local.get $at)
      (i64.shr_u (i64.load $env (local.get $at)) (i64.extend_i32_u (local.get $shift))))
    (local.set $at (i32.add (local.get $at) (i32.const 4)))
    (br_if $word (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

(func $is_zero (param $a i32) (result i32)
  (i64.eqz
    (i64.or
      (i64.or (i64.load $env (local.get $a)) (i64.load $env offset=8 (local.get $a)))
      (i64.or (i64.load $env offset=16 (local.get $a)) (i64.load $env offset=24 (local.get $a))))))

(func $give_zero (param $out i32)
  (call $store (local.get $out) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))

;; Divide, or give zero where the divisor is. The result is at `from`.
(func $divide_256 (param $from i32) (param $out i32)
  (if (call $is_zero (global.get $divisor)) (then (call $give_zero (local.get $out)) (return)))
  (i64.store $env offset=32 (global.get $dividend) (i64.const 0))
  (call $divide (i32.const 8))
  (call $give_256 (local.get $from) (local.get $out)))

(func (export "bignum.div256") (param $a i32) (param $b i32) (param $out i32)
  (call $put (global.get $dividend) (local.get $a))
  (call $put (global.get $divisor) (local.get $b))
  (call $divide_256 (global.get $quotient) (local.get $out)))

(func (export "bignum.mod256") (param $a i32) (param $b i32) (param $out i32)
  (call $put (global.get $dividend) (local.get $a))
  (call $put (global.get $divisor) (local.get $b))
  (call $divide_256 (global.get $dividend) (local.get $out)))

;; Divide without signs, then give the result its own.
(func $divide_signed (param $a i32) (param $b i32) (param $from i32) (param $negative i64) (param $out i32)
  (call $put_absolute (global.get $dividend) (local.get $a))
  (call $put_absolute (global.get $divisor) (local.get $b))
  (if (call $is_zero (global.get $divisor)) (then (call $give_zero (local.get $out)) (return)))
  (i64.store $env offset=32 (global.get $dividend) (i64.const 0))
  (call $divide (i32.const 8))
  (if (i64.lt_s (local.get $negative) (i64.const 0)) (then (call $negate (local.get $from))))
  (call $give_256 (local.get $from) (local.get $out)))

(func (export "bignum.sdiv256") (param $a i32) (param $b i32) (param $out i32)
  (call $divide_signed (local.get $a) (local.get $b) (global.get $quotient)
    (i64.xor (i64.load offset=24 (local.get $a)) (i64.load offset=24 (local.get $b)))
    (local.get $out)))

(func (export "bignum.smod256") (param $a i32) (param $b i32) (param $out i32)
  (call $divide_signed (local.get $a) (local.get $b) (global.get $dividend)
    (i64.load offset=24 (local.get $a))
    (local.get $out)))

;; The sum has 257 bits.
(func (export "bignum.addmod256") (param $a i32) (param $b i32) (param $m i32) (param $out i32)
  (local $c i64)
  (local $r i64)
  (call $put (global.get $divisor) (local.get $m))
  (i64.add128 (i64.load (local.get $a)) (i64.const 0) (i64.load (local.get $b)) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env (global.get $dividend) (local.get $r))
  (i64.add128 (i64.load offset=8 (local.get $a)) (i64.const 0) (i64.load offset=8 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=8 (global.get $dividend) (local.get $r))
  (i64.add128 (i64.load offset=16 (local.get $a)) (i64.const 0) (i64.load offset=16 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=16 (global.get $dividend) (local.get $r))
  (i64.add128 (i64.load offset=24 (local.get $a)) (i64.const 0) (i64.load offset=24 (local.get $b)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=24 (global.get $dividend) (local.get $r))
  (i64.store $env offset=32 (global.get $dividend) (local.get $c))
  (i64.store $env offset=40 (global.get $dividend) (i64.const 0))
  (if (call $is_zero (global.get $divisor)) (then (call $give_zero (local.get $out)) (return)))
  (call $divide (i32.const 9))
  (call $give_256 (global.get $dividend) (local.get $out)))

;; The product has 512 bits.
(func (export "bignum.mulmod256") (param $a i32) (param $b i32) (param $m i32) (param $out i32)
  (call $put (global.get $divisor) (local.get $m))
  (i64.store $env offset=64 (global.get $dividend) (i64.const 0))
  (memory.fill $env (global.get $dividend) (i32.const 0) (i32.const 32))
  (call $multiply_row (local.get $a) (i64.load (local.get $b)) (global.get $dividend))
  (call $multiply_row (local.get $a) (i64.load offset=8 (local.get $b))
    (i32.add (global.get $dividend) (i32.const 8)))
  (call $multiply_row (local.get $a) (i64.load offset=16 (local.get $b))
    (i32.add (global.get $dividend) (i32.const 16)))
  (call $multiply_row (local.get $a) (i64.load offset=24 (local.get $b))
    (i32.add (global.get $dividend) (i32.const 24)))
  (if (call $is_zero (global.get $divisor)) (then (call $give_zero (local.get $out)) (return)))
  (call $divide (i32.const 16))
  (call $give_256 (global.get $dividend) (local.get $out)))

;; Add a times one limb to the four limbs at `at`, and put what is carried over into the fifth.
(func $multiply_row (param $a i32) (param $limb i64) (param $at i32)
  (local $c i64)
  (local $r i64)
  (i64.mul_wide_u (i64.load (local.get $a)) (local.get $limb))
  (i64.add128 (i64.load $env (local.get $at)) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env (local.get $at) (local.get $r))
  (i64.mul_wide_u (i64.load offset=8 (local.get $a)) (local.get $limb))
  (i64.add128 (i64.load $env offset=8 (local.get $at)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=8 (local.get $at) (local.get $r))
  (i64.mul_wide_u (i64.load offset=16 (local.get $a)) (local.get $limb))
  (i64.add128 (i64.load $env offset=16 (local.get $at)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=16 (local.get $at) (local.get $r))
  (i64.mul_wide_u (i64.load offset=24 (local.get $a)) (local.get $limb))
  (i64.add128 (i64.load $env offset=24 (local.get $at)) (i64.const 0))
  (i64.add128 (local.get $c) (i64.const 0))
  (local.set $c) (local.set $r)
  (i64.store $env offset=24 (local.get $at) (local.get $r))
  (i64.store $env offset=32 (local.get $at) (local.get $c)))
