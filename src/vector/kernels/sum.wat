;; The integer sum of words of 32 bits, 40 bits wide: low words and high bytes apart. Source of gen/sum.ts (npm run gen).
(module
  (memory (export "memory") 4)

  ;; $l: first low word, $h: first high byte, $s: first word to add, $n: words, a multiple of 16.
  ;; A carry is where the new low word is below what was added: the comparison gives -1 there, which is subtracted from the high byte.
  (func (export "addCarry") (param $l i32) (param $h i32) (param $s i32) (param $n i32)
    (local $e i32) (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $p v128) (local $q v128) (local $r v128) (local $t v128)
    (local.set $e (i32.add (local.get $h) (local.get $n)))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $h) (local.get $e)))
        (local.set $p (v128.load (local.get $s)))
        (local.set $q (v128.load offset=16 (local.get $s)))
        (local.set $r (v128.load offset=32 (local.get $s)))
        (local.set $t (v128.load offset=48 (local.get $s)))
        (local.set $a (i32x4.add (v128.load (local.get $l)) (local.get $p)))
        (local.set $b (i32x4.add (v128.load offset=16 (local.get $l)) (local.get $q)))
        (local.set $c (i32x4.add (v128.load offset=32 (local.get $l)) (local.get $r)))
        (local.set $d (i32x4.add (v128.load offset=48 (local.get $l)) (local.get $t)))
        (v128.store (local.get $l) (local.get $a))
        (v128.store offset=16 (local.get $l) (local.get $b))
        (v128.store offset=32 (local.get $l) (local.get $c))
        (v128.store offset=48 (local.get $l) (local.get $d))
        (v128.store (local.get $h)
          (i8x16.sub
            (v128.load (local.get $h))
            (i8x16.narrow_i16x8_s
              (i16x8.narrow_i32x4_s
                (i32x4.lt_u (local.get $a) (local.get $p))
                (i32x4.lt_u (local.get $b) (local.get $q)))
              (i16x8.narrow_i32x4_s
                (i32x4.lt_u (local.get $c) (local.get $r))
                (i32x4.lt_u (local.get $d) (local.get $t))))))
        (local.set $l (i32.add (local.get $l) (i32.const 64)))
        (local.set $s (i32.add (local.get $s) (i32.const 64)))
        (local.set $h (i32.add (local.get $h) (i32.const 16)))
        (br $next))))

  ;; The low 32 bits of whole numbers below 2^52 that came as doubles: 2^52 added, they are the low bits of the fraction.
  ;; $s: first double, $d: first word, $n: values, a multiple of 4.
  (func (export "lowWords") (param $s i32) (param $d i32) (param $n i32)
    (local $e i32) (local $k v128)
    (local.set $k (v128.const f64x2 0x1p52 0x1p52))
    (local.set $e (i32.add (local.get $d) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (v128.store (local.get $d)
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27
            (f64x2.add (v128.load (local.get $s)) (local.get $k))
            (f64x2.add (v128.load offset=16 (local.get $s)) (local.get $k))))
        (local.set $s (i32.add (local.get $s) (i32.const 32)))
        (local.set $d (i32.add (local.get $d) (i32.const 16)))
        (br $next)))))
