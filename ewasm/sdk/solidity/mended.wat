;; What replaces solc's own translation of EVM opcodes where that is wrong. A 256-bit value is four i64, the most
;; significant first; of a result the first is returned and the others lie in $_second, $_third, $_fourth. The EVM's
;; memory begins at 64 of the module's. $_scratch is where these functions put what the host reads and writes.

;; -- create --
;; Stands for keccak256, whose call solc believes never to return, so that it drops whatever comes behind it.
(func $create
    (param $x1 i64) (param $x2 i64) (param $x3 i64) (param $x4 i64)
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64) (result i64)
    (call $_keccak256
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))
        (global.get $_scratch))
    (call $_get_be (global.get $_scratch)))

;; -- difficulty --
;; Stands for chainid, which solc has not.
(func $difficulty (result i64)
    (call $_getChainId (global.get $_scratch))
    (call $_get_le (global.get $_scratch)))

;; -- log0 --
(func $log0
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (call $_log_topics (i32.const 0)
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- log1 --
(func $log1
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_log_topics (i32.const 1)
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- log2 --
(func $log2
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $b1 i64) (param $b2 i64) (param $b3 i64) (param $b4 i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 32))
        (local.get $b1) (local.get $b2) (local.get $b3) (local.get $b4))
    (call $_log_topics (i32.const 2)
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- log3 --
(func $log3
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $b1 i64) (param $b2 i64) (param $b3 i64) (param $b4 i64)
    (param $c1 i64) (param $c2 i64) (param $c3 i64) (param $c4 i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 32))
        (local.get $b1) (local.get $b2) (local.get $b3) (local.get $b4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 64))
        (local.get $c1) (local.get $c2) (local.get $c3) (local.get $c4))
    (call $_log_topics (i32.const 3)
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- log4 --
(func $log4
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $b1 i64) (param $b2 i64) (param $b3 i64) (param $b4 i64)
    (param $c1 i64) (param $c2 i64) (param $c3 i64) (param $c4 i64)
    (param $d1 i64) (param $d2 i64) (param $d3 i64) (param $d4 i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 32))
        (local.get $b1) (local.get $b2) (local.get $b3) (local.get $b4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 64))
        (local.get $c1) (local.get $c2) (local.get $c3) (local.get $c4))
    (call $_put_be (i32.add (global.get $_scratch) (i32.const 96))
        (local.get $d1) (local.get $d2) (local.get $d3) (local.get $d4))
    (call $_log_topics (i32.const 4)
        (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- call --
;; solc's gives the host's status for the EVM's, sends no value and copies nothing of what came back.
(func $call
    (param $g1 i64) (param $g2 i64) (param $g3 i64) (param $g4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $v1 i64) (param $v2 i64) (param $v3 i64) (param $v4 i64)
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $o1 i64) (param $o2 i64) (param $o3 i64) (param $o4 i64)
    (param $s1 i64) (param $s2 i64) (param $s3 i64) (param $s4 i64) (result i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    ;; 2^128 wei and more there are not.
    (if (i64.ne (i64.or (local.get $v1) (local.get $v2)) (i64.const 0)) (then (unreachable)))
    (i64.store offset=32 (global.get $_scratch) (local.get $v4))
    (i64.store offset=40 (global.get $_scratch) (local.get $v3))
    (call $_called
        (call $_call
            (call $_gas (local.get $g1) (local.get $g2) (local.get $g3) (local.get $g4))
            (i32.add (global.get $_scratch) (i32.const 12))
            (i32.add (global.get $_scratch) (i32.const 32))
            (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
            (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4)))
        (call $_place (local.get $o1) (local.get $o2) (local.get $o3) (local.get $o4))
        (call $_small (local.get $s1) (local.get $s2) (local.get $s3) (local.get $s4))))

;; -- delegatecall --
(func $delegatecall
    (param $g1 i64) (param $g2 i64) (param $g3 i64) (param $g4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $o1 i64) (param $o2 i64) (param $o3 i64) (param $o4 i64)
    (param $s1 i64) (param $s2 i64) (param $s3 i64) (param $s4 i64) (result i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_called
        (call $_callDelegate
            (call $_gas (local.get $g1) (local.get $g2) (local.get $g3) (local.get $g4))
            (i32.add (global.get $_scratch) (i32.const 12))
            (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
            (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4)))
        (call $_place (local.get $o1) (local.get $o2) (local.get $o3) (local.get $o4))
        (call $_small (local.get $s1) (local.get $s2) (local.get $s3) (local.get $s4))))

;; -- staticcall --
(func $staticcall
    (param $g1 i64) (param $g2 i64) (param $g3 i64) (param $g4 i64)
    (param $a1 i64) (param $a2 i64) (param $a3 i64) (param $a4 i64)
    (param $p1 i64) (param $p2 i64) (param $p3 i64) (param $p4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (param $o1 i64) (param $o2 i64) (param $o3 i64) (param $o4 i64)
    (param $s1 i64) (param $s2 i64) (param $s3 i64) (param $s4 i64) (result i64)
    (call $_put_be (global.get $_scratch) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4))
    (call $_called
        (call $_callStatic
            (call $_gas (local.get $g1) (local.get $g2) (local.get $g3) (local.get $g4))
            (i32.add (global.get $_scratch) (i32.const 12))
            (call $_place (local.get $p1) (local.get $p2) (local.get $p3) (local.get $p4))
            (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4)))
        (call $_place (local.get $o1) (local.get $o2) (local.get $o3) (local.get $o4))
        (call $_small (local.get $s1) (local.get $s2) (local.get $s3) (local.get $s4))))

;; -- calldatacopy --
;; solc's writes 64 bytes too low, and copies all that there is instead of what was asked for.
(func $calldatacopy
    (param $t1 i64) (param $t2 i64) (param $t3 i64) (param $t4 i64)
    (param $o1 i64) (param $o2 i64) (param $o3 i64) (param $o4 i64)
    (param $n1 i64) (param $n2 i64) (param $n3 i64) (param $n4 i64)
    (call $_call_data
        (call $_place (local.get $t1) (local.get $t2) (local.get $t3) (local.get $t4))
        (call $_clamp (local.get $o1) (local.get $o2) (local.get $o3) (local.get $o4))
        (call $_small (local.get $n1) (local.get $n2) (local.get $n3) (local.get $n4))))

;; -- calldataload --
(func $calldataload (param $o1 i64) (param $o2 i64) (param $o3 i64) (param $o4 i64) (result i64)
    (call $_call_data
        (global.get $_scratch)
        (call $_clamp (local.get $o1) (local.get $o2) (local.get $o3) (local.get $o4))
        (i32.const 32))
    (call $_get_be (global.get $_scratch)))

;; -- helpers --
(func $_clamp (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i32)
    (select (i32.wrap_i64 (local.get $d)) (i32.const 0x7fffffff)
        (i64.eqz (i64.or (i64.or (local.get $a) (local.get $b))
            (i64.or (local.get $c) (i64.shr_u (local.get $d) (i64.const 31)))))))
(func $_call_data (param $to i32) (param $offset i32) (param $length i32)
    (local $there i32)
    (local.set $there (i32.sub (call $_getCallDataSize) (local.get $offset)))
    (if (i32.lt_s (local.get $there) (i32.const 0)) (then (local.set $there (i32.const 0))))
    (if (i32.gt_u (local.get $there) (local.get $length)) (then (local.set $there (local.get $length))))
    (if (local.get $there)
        (then (call $_callDataCopy (local.get $to) (local.get $offset) (local.get $there))))
    (loop $zeros
        (if (i32.lt_u (local.get $there) (local.get $length)) (then
            (i32.store8 (i32.add (local.get $to) (local.get $there)) (i32.const 0))
            (local.set $there (i32.add (local.get $there) (i32.const 1)))
            (br $zeros)))))
(func $_small (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i32)
    (if (i64.ne
            (i64.or (i64.or (local.get $a) (local.get $b))
                (i64.or (local.get $c) (i64.shr_u (local.get $d) (i64.const 31))))
            (i64.const 0))
        (then (unreachable)))
    (i32.wrap_i64 (local.get $d)))
(func $_place (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i32)
    (i32.add (call $_small (local.get $a) (local.get $b) (local.get $c) (local.get $d)) (i32.const 64)))
(func $_gas (param $a i64) (param $b i64) (param $c i64) (param $d i64) (result i64)
    (select (local.get $d) (i64.const 0x7fffffffffffffff)
        (i64.eqz (i64.or (i64.or (local.get $a) (local.get $b))
            (i64.or (local.get $c) (i64.shr_u (local.get $d) (i64.const 63)))))))
(func $_swap (param $x i64) (result i64)
    (local.set $x (i64.or
        (i64.and (i64.shr_u (local.get $x) (i64.const 8)) (i64.const 0x00ff00ff00ff00ff))
        (i64.shl (i64.and (local.get $x) (i64.const 0x00ff00ff00ff00ff)) (i64.const 8))))
    (local.set $x (i64.or
        (i64.and (i64.shr_u (local.get $x) (i64.const 16)) (i64.const 0x0000ffff0000ffff))
        (i64.shl (i64.and (local.get $x) (i64.const 0x0000ffff0000ffff)) (i64.const 16))))
    (i64.rotl (local.get $x) (i64.const 32)))
(func $_put_be (param $at i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64)
    (i64.store (local.get $at) (call $_swap (local.get $a)))
    (i64.store offset=8 (local.get $at) (call $_swap (local.get $b)))
    (i64.store offset=16 (local.get $at) (call $_swap (local.get $c)))
    (i64.store offset=24 (local.get $at) (call $_swap (local.get $d))))
(func $_get_be (param $at i32) (result i64)
    (global.set $_second (call $_swap (i64.load offset=8 (local.get $at))))
    (global.set $_third (call $_swap (i64.load offset=16 (local.get $at))))
    (global.set $_fourth (call $_swap (i64.load offset=24 (local.get $at))))
    (call $_swap (i64.load (local.get $at))))
(func $_put_le (param $at i32) (param $a i64) (param $b i64) (param $c i64) (param $d i64)
    (i64.store offset=24 (local.get $at) (local.get $a))
    (i64.store offset=16 (local.get $at) (local.get $b))
    (i64.store offset=8 (local.get $at) (local.get $c))
    (i64.store (local.get $at) (local.get $d)))
(func $_get_le (param $at i32) (result i64)
    (global.set $_second (i64.load offset=16 (local.get $at)))
    (global.set $_third (i64.load offset=8 (local.get $at)))
    (global.set $_fourth (i64.load (local.get $at)))
    (i64.load offset=24 (local.get $at)))
(func $_log_topics (param $topics i32) (param $data i32) (param $length i32)
    (call $_log (local.get $data) (local.get $length) (local.get $topics)
        (global.get $_scratch)
        (i32.add (global.get $_scratch) (i32.const 32))
        (i32.add (global.get $_scratch) (i32.const 64))
        (i32.add (global.get $_scratch) (i32.const 96))))
(func $_called (param $status i32) (param $out i32) (param $room i32) (result i64)
    (local $size i32)
    (local.set $size (call $_getReturnDataSize))
    (call $_returnDataCopy (local.get $out) (i32.const 0)
        (select (local.get $size) (local.get $room) (i32.lt_u (local.get $size) (local.get $room))))
    (global.set $_second (i64.const 0))
    (global.set $_third (i64.const 0))
    (global.set $_fourth (i64.extend_i32_u (i32.eqz (local.get $status))))
    (i64.const 0))
