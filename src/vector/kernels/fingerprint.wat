;; Products of values and 61-bit weights, added up in pieces that no 64-bit lane overflows. Source of gen/fingerprint.ts (npm run gen).
;; A weight is L + 2^32 H with H below 2^29, a value l + 2^32 h. A product of two 32-bit halves has 64 bits, so its own halves are added
;; apart: 2^31 of them fit a lane. At $o six pairs of lanes are left:
;;   low and high half of Σ L·l, low and high half of Σ H·l, Σ L·h, Σ H·h
(module
  (memory (export "memory") 5)

  ;; $v: first of the 32-bit values, $w: first of the 8-byte weights, $n: values, a multiple of 4, $o: 96 bytes for the result.
  (func (export "words") (param $v i32) (param $w i32) (param $n i32) (param $o i32)
    (local $e i32) (local $m v128) (local $l v128) (local $h v128) (local $x v128) (local $y v128) (local $p v128)
    (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
    (local.set $m (v128.const i64x2 0xffffffff 0xffffffff))
    (local.set $e (i32.add (local.get $v) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $v) (local.get $e)))
        (local.set $l (v128.load (local.get $v)))
        (local.set $x (v128.load (local.get $w)))
        (local.set $y (v128.load offset=16 (local.get $w)))
        (local.set $h
          (v128.and
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $x) (local.get $y))
            (v128.const i32x4 0x1fffffff 0x1fffffff 0x1fffffff 0x1fffffff)))
        (local.set $x (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $x) (local.get $y)))
        (local.set $p (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $l)))
        (local.set $a0 (i64x2.add (local.get $a0) (v128.and (local.get $p) (local.get $m))))
        (local.set $a1 (i64x2.add (local.get $a1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $l)))
        (local.set $a0 (i64x2.add (local.get $a0) (v128.and (local.get $p) (local.get $m))))
        (local.set $a1 (i64x2.add (local.get $a1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_low_i32x4_u (local.get $h) (local.get $l)))
        (local.set $b0 (i64x2.add (local.get $b0) (v128.and (local.get $p) (local.get $m))))
        (local.set $b1 (i64x2.add (local.get $b1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_high_i32x4_u (local.get $h) (local.get $l)))
        (local.set $b0 (i64x2.add (local.get $b0) (v128.and (local.get $p) (local.get $m))))
        (local.set $b1 (i64x2.add (local.get $b1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $v (i32.add (local.get $v) (i32.const 16)))
        (local.set $w (i32.add (local.get $w) (i32.const 32)))
        (br $next)))
    (v128.store (local.get $o) (local.get $a0))
    (v128.store offset=16 (local.get $o) (local.get $a1))
    (v128.store offset=32 (local.get $o) (local.get $b0))
    (v128.store offset=48 (local.get $o) (local.get $b1))
    (v128.store offset=64 (local.get $o) (v128.const i64x2 0 0))
    (v128.store offset=80 (local.get $o) (v128.const i64x2 0 0)))

  ;; As above for whole numbers below 2^40 that came as doubles: 2^52 added, they are the low bits of the fraction. $v: first double.
  (func (export "doubles") (param $v i32) (param $w i32) (param $n i32) (param $o i32)
    (local $e i32) (local $m v128) (local $k v128) (local $l v128) (local $h v128) (local $x v128) (local $y v128) (local $p v128)
    (local $g v128) (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128) (local $c v128) (local $d v128)
    (local.set $m (v128.const i64x2 0xffffffff 0xffffffff))
    (local.set $k (v128.const f64x2 0x1p52 0x1p52))
    (local.set $e (i32.add (local.get $v) (i32.shl (local.get $n) (i32.const 3))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $v) (local.get $e)))
        (local.set $x (f64x2.add (v128.load (local.get $v)) (local.get $k)))
        (local.set $y (f64x2.add (v128.load offset=16 (local.get $v)) (local.get $k)))
        (local.set $g
          (v128.and
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $x) (local.get $y))
            (v128.const i32x4 0xff 0xff 0xff 0xff)))
        (local.set $l (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $x) (local.get $y)))
        (local.set $x (v128.load (local.get $w)))
        (local.set $y (v128.load offset=16 (local.get $w)))
        (local.set $h
          (v128.and
            (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $x) (local.get $y))
            (v128.const i32x4 0x1fffffff 0x1fffffff 0x1fffffff 0x1fffffff)))
        (local.set $x (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $x) (local.get $y)))
        (local.set $p (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $l)))
        (local.set $a0 (i64x2.add (local.get $a0) (v128.and (local.get $p) (local.get $m))))
        (local.set $a1 (i64x2.add (local.get $a1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $l)))
        (local.set $a0 (i64x2.add (local.get $a0) (v128.and (local.get $p) (local.get $m))))
        (local.set $a1 (i64x2.add (local.get $a1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_low_i32x4_u (local.get $h) (local.get $l)))
        (local.set $b0 (i64x2.add (local.get $b0) (v128.and (local.get $p) (local.get $m))))
        (local.set $b1 (i64x2.add (local.get $b1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        (local.set $p (i64x2.extmul_high_i32x4_u (local.get $h) (local.get $l)))
        (local.set $b0 (i64x2.add (local.get $b0) (v128.and (local.get $p) (local.get $m))))
        (local.set $b1 (i64x2.add (local.get $b1) (i64x2.shr_u (local.get $p) (i32.const 32))))
        ;; h has 8 bits: these products have 40 and are added whole.
        (local.set $c (i64x2.add (local.get $c) (i64x2.extmul_low_i32x4_u (local.get $x) (local.get $g))))
        (local.set $c (i64x2.add (local.get $c) (i64x2.extmul_high_i32x4_u (local.get $x) (local.get $g))))
        (local.set $d (i64x2.add (local.get $d) (i64x2.extmul_low_i32x4_u (local.get $h) (local.get $g))))
        (local.set $d (i64x2.add (local.get $d) (i64x2.extmul_high_i32x4_u (local.get $h) (local.get $g))))
        (local.set $v (i32.add (local.get $v) (i32.const 32)))
        (local.set $w (i32.add (local.get $w) (i32.const 32)))
        (br $next)))
    (v128.store (local.get $o) (local.get $a0))
    (v128.store offset=16 (local.get $o) (local.get $a1))
    (v128.store offset=32 (local.get $o) (local.get $b0))
    (v128.store offset=48 (local.get $o) (local.get $b1))
    (v128.store offset=64 (local.get $o) (local.get $c))
    (v128.store offset=80 (local.get $o) (local.get $d))))
