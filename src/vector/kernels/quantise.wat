;; Stochastic rounding with clip: q = floor(x · shrink · scale + u / 2^32), cut to [-top, top], where x · shrink is first cut to
;; [-clip, clip] (infinite: no cut). Every operation is the one of IEEE 754 on doubles, so the result is that of the plain loop bit for bit.
;; Source of gen/quantise.ts (npm run gen).
;; $x: first value, $u: first random word, $q: first integer out, $n: values, an even number. Returns how often a cut changed a value.
(module
  (memory (export "memory") 4)

  ;; Values in 64 bits.
  (func (export "doubles")
    (param $x i32) (param $u i32) (param $q i32) (param $n i32) (param $shrink f64) (param $limit f64) (param $unit f64) (param $most f64)
    (result i32)
    (local $e i32) (local $k v128) (local $clip v128) (local $low v128) (local $scale v128) (local $top v128) (local $bottom v128)
    (local $v v128) (local $c v128) (local $f v128) (local $g v128) (local $cuts v128)
    (local.set $k (f64x2.splat (local.get $shrink)))
    (local.set $clip (f64x2.splat (local.get $limit)))
    (local.set $low (f64x2.neg (local.get $clip)))
    (local.set $scale (f64x2.splat (local.get $unit)))
    (local.set $top (f64x2.splat (local.get $most)))
    (local.set $bottom (f64x2.neg (local.get $top)))
    (local.set $e (i32.add (local.get $q) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $q) (local.get $e)))
        (local.set $v (f64x2.mul (v128.load (local.get $x)) (local.get $k)))
        (local.set $c (f64x2.pmin (local.get $clip) (f64x2.pmax (local.get $low) (local.get $v))))
        (local.set $f
          (f64x2.floor
            (f64x2.add
              (f64x2.mul (local.get $c) (local.get $scale))
              (f64x2.mul
                (f64x2.convert_low_i32x4_u (v128.load64_zero (local.get $u)))
                (v128.const f64x2 0x1p-32 0x1p-32)))))
        (local.set $g (f64x2.pmin (local.get $top) (f64x2.pmax (local.get $bottom) (local.get $f))))
        (v128.store64_lane 0 (local.get $q) (i32x4.trunc_sat_f64x2_s_zero (local.get $g)))
        ;; A comparison that holds is -1.
        (local.set $cuts
          (i64x2.sub
            (local.get $cuts)
            (i64x2.add (f64x2.ne (local.get $c) (local.get $v)) (f64x2.ne (local.get $g) (local.get $f)))))
        (local.set $x (i32.add (local.get $x) (i32.const 16)))
        (local.set $u (i32.add (local.get $u) (i32.const 8)))
        (local.set $q (i32.add (local.get $q) (i32.const 8)))
        (br $next)))
    (i32.wrap_i64
      (i64.add (i64x2.extract_lane 0 (local.get $cuts)) (i64x2.extract_lane 1 (local.get $cuts)))))

  ;; Values in 32 bits.
  (func (export "singles")
    (param $x i32) (param $u i32) (param $q i32) (param $n i32) (param $shrink f64) (param $limit f64) (param $unit f64) (param $most f64)
    (result i32)
    (local $e i32) (local $k v128) (local $clip v128) (local $low v128) (local $scale v128) (local $top v128) (local $bottom v128)
    (local $v v128) (local $c v128) (local $f v128) (local $g v128) (local $cuts v128)
    (local.set $k (f64x2.splat (local.get $shrink)))
    (local.set $clip (f64x2.splat (local.get $limit)))
    (local.set $low (f64x2.neg (local.get $clip)))
    (local.set $scale (f64x2.splat (local.get $unit)))
    (local.set $top (f64x2.splat (local.get $most)))
    (local.set $bottom (f64x2.neg (local.get $top)))
    (local.set $e (i32.add (local.get $q) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $q) (local.get $e)))
        (local.set $v (f64x2.mul (f64x2.promote_low_f32x4 (v128.load64_zero (local.get $x))) (local.get $k)))
        (local.set $c (f64x2.pmin (local.get $clip) (f64x2.pmax (local.get $low) (local.get $v))))
        (local.set $f
          (f64x2.floor
            (f64x2.add
              (f64x2.mul (local.get $c) (local.get $scale))
              (f64x2.mul
                (f64x2.convert_low_i32x4_u (v128.load64_zero (local.get $u)))
                (v128.const f64x2 0x1p-32 0x1p-32)))))
        (local.set $g (f64x2.pmin (local.get $top) (f64x2.pmax (local.get $bottom) (local.get $f))))
        (v128.store64_lane 0 (local.get $q) (i32x4.trunc_sat_f64x2_s_zero (local.get $g)))
        ;; A comparison that holds is -1.
        (local.set $cuts
          (i64x2.sub
            (local.get $cuts)
            (i64x2.add (f64x2.ne (local.get $c) (local.get $v)) (f64x2.ne (local.get $g) (local.get $f)))))
        (local.set $x (i32.add (local.get $x) (i32.const 8)))
        (local.set $u (i32.add (local.get $u) (i32.const 8)))
        (local.set $q (i32.add (local.get $q) (i32.const 8)))
        (br $next)))
    (i32.wrap_i64
      (i64.add (i64x2.extract_lane 0 (local.get $cuts)) (i64x2.extract_lane 1 (local.get $cuts))))))
