;; Keccak-256 as Ethereum uses it (FIPS 202's permutation, the padding of the submission: 0x01 where SHA-3 has 0x06). A
;; lane is a local, the state rests in the environment between blocks of 136 bytes.

(data $round_constants (memory $env) (i32.const 1168)
  "\01\00\00\00\00\00\00\00\82\80\00\00\00\00\00\00\8a\80\00\00\00\00\00\80"
  "\00\80\00\80\00\00\00\80\8b\80\00\00\00\00\00\00\01\00\00\80\00\00\00\00"
  "\81\80\00\80\00\00\00\80\09\80\00\00\00\00\00\80\8a\00\00\00\00\00\00\00"
  "\88\00\00\00\00\00\00\00\09\80\00\80\00\00\00\00\0a\00\00\80\00\00\00\00"
  "\8b\80\00\80\00\00\00\00\8b\00\00\00\00\00\00\80\89\80\00\00\00\00\00\80"
  "\03\80\00\00\00\00\00\80\02\80\00\00\00\00\00\80\80\00\00\00\00\00\00\80"
  "\0a\80\00\00\00\00\00\00\0a\00\00\80\00\00\00\80\81\80\00\80\00\00\00\80"
  "\80\80\00\00\00\00\00\80\01\00\00\80\00\00\00\00\08\80\00\80\00\00\00\80")

(func (export "crypto.keccak256") (param $data i32) (param $length i32) (param $out i32)
  (local $block i32)
  (call $pay (local.get $length))
  (memory.fill $env (global.get $lanes) (i32.const 0) (i32.const 336))
  (block $last
    (loop $next
      (br_if $last (i32.lt_u (local.get $length) (i32.const 136)))
      (local.set $block (i32.const 0))
      (loop $lane
        (i64.store $env (i32.add (global.get $lanes) (local.get $block))
          (i64.xor
            (i64.load $env (i32.add (global.get $lanes) (local.get $block)))
            (i64.load (i32.add (local.get $data) (local.get $block)))))
        (br_if $lane (i32.lt_u (local.tee $block (i32.add (local.get $block) (i32.const 8))) (i32.const 136))))
      (call $permute)
      (local.set $data (i32.add (local.get $data) (i32.const 136)))
      (local.set $length (i32.sub (local.get $length) (i32.const 136)))
      (br $next)))
  ;; The copy also checks the range, of an empty message too.
  (memory.copy $env $contract (global.get $block) (local.get $data) (local.get $length))
  (i32.store8 $env (i32.add (global.get $block) (local.get $length)) (i32.const 0x01))
  (i32.store8 $env offset=135 (global.get $block)
    (i32.or (i32.load8_u $env offset=135 (global.get $block)) (i32.const 0x80)))
  (local.set $block (i32.const 0))
  (loop $lane
    (i64.store $env (i32.add (global.get $lanes) (local.get $block))
      (i64.xor
        (i64.load $env (i32.add (global.get $lanes) (local.get $block)))
        (i64.load $env (i32.add (global.get $block) (local.get $block)))))
    (br_if $lane (i32.lt_u (local.tee $block (i32.add (local.get $block) (i32.const 8))) (i32.const 136))))
  (call $permute)
  (call $give_256 (global.get $lanes) (local.get $out)))

;; Keccak-f[1600]: lane x + 5y is $a<x + 5y>.
(func $permute
  (local $a0 i64) (local $a1 i64) (local $a2 i64) (local $a3 i64) (local $a4 i64)
  (local $a5 i64) (local $a6 i64) (local $a7 i64) (local $a8 i64) (local $a9 i64)
  (local $a10 i64) (local $a11 i64) (local $a12 i64) (local $a13 i64) (local $a14 i64)
  (local $a15 i64) (local $a16 i64) (local $a17 i64) (local $a18 i64) (local $a19 i64)
  (local $a20 i64) (local $a21 i64) (local $a22 i64) (local $a23 i64) (local $a24 i64)
  (local $b0 i64) (local $b1 i64) (local $b2 i64) (local $b3 i64) (local $b4 i64)
  (local $b5 i64) (local $b6 i64) (local $b7 i64) (local $b8 i64) (local $b9 i64)
  (local $b10 i64) (local $b11 i64) (local $b12 i64) (local $b13 i64) (local $b14 i64)
  (local $b15 i64) (local $b16 i64) (local $b17 i64) (local $b18 i64) (local $b19 i64)
  (local $b20 i64) (local $b21 i64) (local $b22 i64) (local $b23 i64) (local $b24 i64)
  (local $c0 i64) (local $c1 i64) (local $c2 i64) (local $c3 i64) (local $c4 i64)
  (local $d i64) (local $round i32)
  (local.set $a0 (i64.load $env (global.get $lanes)))
  (local.set $a1 (i64.load $env offset=8 (global.get $lanes)))
  (local.set $a2 (i64.load $env offset=16 (global.get $lanes)))
  (local.set $a3 (i64.load $env offset=24 (global.get $lanes)))
  (local.set $a4 (i64.load $env offset=32 (global.get $lanes)))
  (local.set $a5 (i64.load $env offset=40 (global.get $lanes)))
  (local.set $a6 (i64.load $env offset=48 (global.get $lanes)))
  (local.set $a7 (i64.load $env offset=56 (global.get $lanes)))
  (local.set $a8 (i64.load $env offset=64 (global.get $lanes)))
  (local.set $a9 (i64.load $env offset=72 (global.get $lanes)))
  (local.set $a10 (i64.load $env offset=80 (global.get $lanes)))
  (local.set $a11 (i64.load $env offset=88 (global.get $lanes)))
  (local.set $a12 (i64.load $env offset=96 (global.get $lanes)))
  (local.set $a13 (i64.load $env offset=104 (global.get $lanes)))
  (local.set $a14 (i64.load $env offset=112 (global.get $lanes)))
  (local.set $a15 (i64.load $env offset=120 (global.get $lanes)))
  (local.set $a16 (i64.load $env offset=128 (global.get $lanes)))
  (local.set $a17 (i64.load $env offset=136 (global.get $lanes)))
  (local.set $a18 (i64.load $env offset=144 (global.get $lanes)))
  (local.set $a19 (i64.load $env offset=152 (global.get $lanes)))
  (local.set $a20 (i64.load $env offset=160 (global.get $lanes)))
  (local.set $a21 (i64.load $env offset=168 (global.get $lanes)))
  (local.set $a22 (i64.load $env offset=176 (global.get $lanes)))
  (local.set $a23 (i64.load $env offset=184 (global.get $lanes)))
  (local.set $a24 (i64.load $env offset=192 (global.get $lanes)))
  (loop $next
    ;; Theta.
    (local.set $c0
      (i64.xor (i64.xor (i64.xor (i64.xor (local.get $a0) (local.get $a5)) (local.get $a10)) (local.get $a15)) (local.get $a20)))
    (local.set $c1
      (i64.xor (i64.xor (i64.xor (i64.xor (local.get $a1) (local.get $a6)) (local.get $a11)) (local.get $a16)) (local.get $a21)))
    (local.set $c2
      (i64.xor (i64.xor (i64.xor (i64.xor (local.get $a2) (local.get $a7)) (local.get $a12)) (local.get $a17)) (local.get $a22)))
    (local.set $c3
      (i64.xor (i64.xor (i64.xor (i64.xor (local.get $a3) (local.get $a8)) (local.get $a13)) (local.get $a18)) (local.get $a23)))
    (local.set $c4
      (i64.xor (i64.xor (i64.xor (i64.xor (local.get $a4) (local.get $a9)) (local.get $a14)) (local.get $a19)) (local.get $a24)))
    ;; The rest of theta, with rho and pi.
    (local.set $d (i64.xor (local.get $c4) (i64.rotl (local.get $c1) (i64.const 1))))
    (local.set $b0 (i64.xor (local.get $a0) (local.get $d)))
    (local.set $b16 (i64.rotl (i64.xor (local.get $a5) (local.get $d)) (i64.const 36)))
    (local.set $b7 (i64.rotl (i64.xor (local.get $a10) (local.get $d)) (i64.const 3)))
    (local.set $b23 (i64.rotl (i64.xor (local.get $a15) (local.get $d)) (i64.const 41)))
    (local.set $b14 (i64.rotl (i64.xor (local.get $a20) (local.get $d)) (i64.const 18)))
    (local.set $d (i64.xor (local.get $c0) (i64.rotl (local.get $c2) (i64.const 1))))
    (local.set $b10 (i64.rotl (i64.xor (local.get $a1) (local.get $d)) (i64.const 1)))
    (local.set $b1 (i64.rotl (i64.xor (local.get $a6) (local.get $d)) (i64.const 44)))
    (local.set $b17 (i64.rotl (i64.xor (local.get $a11) (local.get $d)) (i64.const 10)))
    (local.set $b8 (i64.rotl (i64.xor (local.get $a16) (local.get $d)) (i64.const 45)))
    (local.set $b24 (i64.rotl (i64.xor (local.get $a21) (local.get $d)) (i64.const 2)))
    (local.set $d (i64.xor (local.get $c1) (i64.rotl (local.get $c3) (i64.const 1))))
    (local.set $b20 (i64.rotl (i64.xor (local.get $a2) (local.get $d)) (i64.const 62)))
    (local.set $b11 (i64.rotl (i64.xor (local.get $a7) (local.get $d)) (i64.const 6)))
    (local.set $b2 (i64.rotl (i64.xor (local.get $a12) (local.get $d)) (i64.const 43)))
    (local.set $b18 (i64.rotl (i64.xor (local.get $a17) (local.get $d)) (i64.const 15)))
    (local.set $b9 (i64.rotl (i64.xor (local.get $a22) (local.get $d)) (i64.const 61)))
    (local.set $d (i64.xor (local.get $c2) (i64.rotl (local.get $c4) (i64.const 1))))
    (local.set $b5 (i64.rotl (i64.xor (local.get $a3) (local.get $d)) (i64.const 28)))
    (local.set $b21 (i64.rotl (i64.xor (local.get $a8) (local.get $d)) (i64.const 55)))
    (local.set $b12 (i64.rotl (i64.xor (local.get $a13) (local.get $d)) (i64.const 25)))
    (local.set $b3 (i64.rotl (i64.xor (local.get $a18) (local.get $d)) (i64.const 21)))
    (local.set $b19 (i64.rotl (i64.xor (local.get $a23) (local.get $d)) (i64.const 56)))
    (local.set $d (i64.xor (local.get $c3) (i64.rotl (local.get $c0) (i64.const 1))))
    (local.set $b15 (i64.rotl (i64.xor (local.get $a4) (local.get $d)) (i64.const 27)))
    (local.set $b6 (i64.rotl (i64.xor (local.get $a9) (local.get $d)) (i64.const 20)))
    (local.set $b22 (i64.rotl (i64.xor (local.get $a14) (local.get $d)) (i64.const 39)))
    (local.set $b13 (i64.rotl (i64.xor (local.get $a19) (local.get $d)) (i64.const 8)))
    (local.set $b4 (i64.rotl (i64.xor (local.get $a24) (local.get $d)) (i64.const 14)))
    ;; Chi.
    (local.set $a0
      (i64.xor (local.get $b0) (i64.and (i64.xor (local.get $b1) (i64.const -1)) (local.get $b2))))
    (local.set $a1
      (i64.xor (local.get $b1) (i64.and (i64.xor (local.get $b2) (i64.const -1)) (local.get $b3))))
    (local.set $a2
      (i64.xor (local.get $b2) (i64.and (i64.xor (local.get $b3) (i64.const -1)) (local.get $b4))))
    (local.set $a3
      (i64.xor (local.get $b3) (i64.and (i64.xor (local.get $b4) (i64.const -1)) (local.get $b0))))
    (local.set $a4
      (i64.xor (local.get $b4) (i64.and (i64.xor (local.get $b0) (i64.const -1)) (local.get $b1))))
    (local.set $a5
      (i64.xor (local.get $b5) (i64.and (i64.xor (local.get $b6) (i64.const -1)) (local.get $b7))))
    (local.set $a6
      (i64.xor (local.get $b6) (i64.and (i64.xor (local.get $b7) (i64.const -1)) (local.get $b8))))
    (local.set $a7
      (i64.xor (local.get $b7) (i64.and (i64.xor (local.get $b8) (i64.const -1)) (local.get $b9))))
    (local.set $a8
      (i64.xor (local.get $b8) (i64.and (i64.xor (local.get $b9) (i64.const -1)) (local.get $b5))))
    (local.set $a9
      (i64.xor (local.get $b9) (i64.and (i64.xor (local.get $b5) (i64.const -1)) (local.get $b6))))
    (local.set $a10
      (i64.xor (local.get $b10) (i64.and (i64.xor (local.get $b11) (i64.const -1)) (local.get $b12))))
    (local.set $a11
      (i64.xor (local.get $b11) (i64.and (i64.xor (local.get $b12) (i64.const -1)) (local.get $b13))))
    (local.set $a12
      (i64.xor (local.get $b12) (i64.and (i64.xor (local.get $b13) (i64.const -1)) (local.get $b14))))
    (local.set $a13
      (i64.xor (local.get $b13) (i64.and (i64.xor (local.get $b14) (i64.const -1)) (local.get $b10))))
    (local.set $a14
      (i64.xor (local.get $b14) (i64.and (i64.xor (local.get $b10) (i64.const -1)) (local.get $b11))))
    (local.set $a15
      (i64.xor (local.get $b15) (i64.and (i64.xor (local.get $b16) (i64.const -1)) (local.get $b17))))
    (local.set $a16
      (i64.xor (local.get $b16) (i64.and (i64.xor (local.get $b17) (i64.const -1)) (local.get $b18))))
    (local.set $a17
      (i64.xor (local.get $b17) (i64.and (i64.xor (local.get $b18) (i64.const -1)) (local.get $b19))))
    (local.set $a18
      (i64.xor (local.get $b18) (i64.and (i64.xor (local.get $b19) (i64.const -1)) (local.get $b15))))
    (local.set $a19
      (i64.xor (local.get $b19) (i64.and (i64.xor (local.get $b15) (i64.const -1)) (local.get $b16))))
    (local.set $a20
      (i64.xor (local.get $b20) (i64.and (i64.xor (local.get $b21) (i64.const -1)) (local.get $b22))))
    (local.set $a21
      (i64.xor (local.get $b21) (i64.and (i64.xor (local.get $b22) (i64.const -1)) (local.get $b23))))
    (local.set $a22
      (i64.xor (local.get $b22) (i64.and (i64.xor (local.get $b23) (i64.const -1)) (local.get $b24))))
    (local.set $a23
      (i64.xor (local.get $b23) (i64.and (i64.xor (local.get $b24) (i64.const -1)) (local.get $b20))))
    (local.set $a24
      (i64.xor (local.get $b24) (i64.and (i64.xor (local.get $b20) (i64.const -1)) (local.get $b21))))
    ;; Iota.
    (local.set $a0 (i64.xor (local.get $a0) (i64.load $env (i32.add (global.get $round_constants) (local.get $round)))))
    (br_if $next (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 8))) (i32.const 192))))
  (i64.store $env (global.get $lanes) (local.get $a0))
  (i64.store $env offset=8 (global.get $lanes) (local.get $a1))
  (i64.store $env offset=16 (global.get $lanes) (local.get $a2))
  (i64.store $env offset=24 (global.get $lanes) (local.get $a3))
  (i64.store $env offset=32 (global.get $lanes) (local.get $a4))
  (i64.store $env offset=40 (global.get $lanes) (local.get $a5))
  (i64.store $env offset=48 (global.get $lanes) (local.get $a6))
  (i64.store $env offset=56 (global.get $lanes) (local.get $a7))
  (i64.store $env offset=64 (global.get $lanes) (local.get $a8))
  (i64.store $env offset=72 (global.get $lanes) (local.get $a9))
  (i64.store $env offset=80 (global.get $lanes) (local.get $a10))
  (i64.store $env offset=88 (global.get $lanes) (local.get $a11))
  (i64.store $env offset=96 (global.get $lanes) (local.get $a12))
  (i64.store $env offset=104 (global.get $lanes) (local.get $a13))
  (i64.store $env offset=112 (global.get $lanes) (local.get $a14))
  (i64.store $env offset=120 (global.get $lanes) (local.get $a15))
  (i64.store $env offset=128 (global.get $lanes) (local.get $a16))
  (i64.store $env offset=136 (global.get $lanes) (local.get $a17))
  (i64.store $env offset=144 (global.get $lanes) (local.get $a18))
  (i64.store $env offset=152 (global.get $lanes) (local.get $a19))
  (i64.store $env offset=160 (global.get $lanes) (local.get $a20))
  (i64.store $env offset=168 (global.get $lanes) (local.get $a21))
  (i64.store $env offset=176 (global.get $lanes) (local.get $a22))
  (i64.store $env offset=184 (global.get $lanes) (local.get $a23))
  (i64.store $env offset=192 (global.get $lanes) (local.get $a24)))
