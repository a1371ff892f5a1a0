;; Values of $w bits to a little-endian bit string and back. Source of gen/pack.ts (npm run gen).
;; Scalar on purpose: WebAssembly has no shift by a different amount in each lane, and one 64-bit word holds any value of up to 44 bits
;; with the seven bits before it. Packing stores 8 bytes each time, of which the next store overwrites those that were not full; unpacking
;; reads 8 bytes each time. So up to 8 bytes behind the bit string are touched.
(module
  (memory (export "memory") 4)

  ;; $s: first 32-bit value, $n: values, $w: bits of each, $d: first byte of the bit string.
  (func (export "packWords") (param $s i32) (param $n i32) (param $w i32) (param $d i32)
    (local $e i32) (local $held i64) (local $bits i32)
    (local.set $e (i32.add (local.get $s) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $s) (local.get $e)))
        (local.set $held
          (i64.or (local.get $held) (i64.shl (i64.load32_u (local.get $s)) (i64.extend_i32_u (local.get $bits)))))
        (i64.store (local.get $d) (local.get $held))
        (local.set $bits (i32.add (local.get $bits) (local.get $w)))
        (local.set $d (i32.add (local.get $d) (i32.shr_u (local.get $bits) (i32.const 3))))
        (local.set $held (i64.shr_u (local.get $held) (i64.extend_i32_u (i32.and (local.get $bits) (i32.const 56)))))
        (local.set $bits (i32.and (local.get $bits) (i32.const 7)))
        (local.set $s (i32.add (local.get $s) (i32.const 4)))
        (br $next))))

  ;; As above for whole numbers that come as doubles. $s: first double.
  (func (export "packDoubles") (param $s i32) (param $n i32) (param $w i32) (param $d i32)
    (local $e i32) (local $held i64) (local $bits i32)
    (local.set $e (i32.add (local.get $s) (i32.shl (local.get $n) (i32.const 3))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $s) (local.get $e)))
        (local.set $held
          (i64.or
            (local.get $held)
            (i64.shl (i64.trunc_sat_f64_s (f64.load (local.get $s))) (i64.extend_i32_u (local.get $bits)))))
        (i64.store (local.get $d) (local.get $held))
        (local.set $bits (i32.add (local.get $bits) (local.get $w)))
        (local.set $d (i32.add (local.get $d) (i32.shr_u (local.get $bits) (i32.const 3))))
        (local.set $held (i64.shr_u (local.get $held) (i64.extend_i32_u (i32.and (local.get $bits) (i32.const 56)))))
        (local.set $bits (i32.and (local.get $bits) (i32.const 7)))
        (local.set $s (i32.add (local.get $s) (i32.const 8)))
        (br $next))))

  ;; As above for values of 40 bits. $s: first low word, $h: first high byte.
  (func (export "packSums") (param $s i32) (param $h i32) (param $n i32) (param $w i32) (param $d i32)
    (local $e i32) (local $held i64) (local $bits i32)
    (local.set $e (i32.add (local.get $s) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $s) (local.get $e)))
        (local.set $held
          (i64.or
            (local.get $held)
            (i64.shl
              (i64.or (i64.load32_u (local.get $s)) (i64.shl (i64.load8_u (local.get $h)) (i64.const 32)))
              (i64.extend_i32_u (local.get $bits)))))
        (i64.store (local.get $d) (local.get $held))
        (local.set $bits (i32.add (local.get $bits) (local.get $w)))
        (local.set $d (i32.add (local.get $d) (i32.shr_u (local.get $bits) (i32.const 3))))
        (local.set $held (i64.shr_u (local.get $held) (i64.extend_i32_u (i32.and (local.get $bits) (i32.const 56)))))
        (local.set $bits (i32.and (local.get $bits) (i32.const 7)))
        (local.set $s (i32.add (local.get $s) (i32.const 4)))
        (local.set $h (i32.add (local.get $h) (i32.const 1)))
        (br $next))))

  ;; $s: first byte of the bit string, $n: values, $w: bits of each, $d: first 32-bit value.
  (func (export "unpackWords") (param $s i32) (param $n i32) (param $w i32) (param $d i32)
    (local $e i32) (local $at i32) (local $mask i64)
    (local.set $mask (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $w))) (i64.const 1)))
    (local.set $e (i32.add (local.get $d) (i32.shl (local.get $n) (i32.const 2))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (i64.store32 (local.get $d)
          (i64.and
            (i64.shr_u
              (i64.load (i32.add (local.get $s) (i32.shr_u (local.get $at) (i32.const 3))))
              (i64.extend_i32_u (i32.and (local.get $at) (i32.const 7))))
            (local.get $mask)))
        (local.set $at (i32.add (local.get $at) (local.get $w)))
        (local.set $d (i32.add (local.get $d) (i32.const 4)))
        (br $next))))

  ;; As above into doubles. $d: first double.
  (func (export "unpackDoubles") (param $s i32) (param $n i32) (param $w i32) (param $d i32)
    (local $e i32) (local $at i32) (local $mask i64)
    (local.set $mask (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $w))) (i64.const 1)))
    (local.set $e (i32.add (local.get $d) (i32.shl (local.get $n) (i32.const 3))))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (f64.store (local.get $d)
          (f64.convert_i64_s
            (i64.and
              (i64.shr_u
                (i64.load (i32.add (local.get $s) (i32.shr_u (local.get $at) (i32.const 3))))
                (i64.extend_i32_u (i32.and (local.get $at) (i32.const 7))))
              (local.get $mask))))
        (local.set $at (i32.add (local.get $at) (local.get $w)))
        (local.set $d (i32.add (local.get $d) (i32.const 8)))
        (br $next)))))
