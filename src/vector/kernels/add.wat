;; Adds or subtracts keystreams on 32-bit words, four lanes at a time. Source of gen/add.ts (npm run gen).
;; $d: first byte of the words, $s: first byte of the first stream, $n: bytes, a multiple of 64.
;; Streams of one pass lie $t bytes apart. Four per pass: each word is loaded and stored once for four streams.
(module
  (memory (export "memory") 6)

  (func (export "add1") (param $d i32) (param $s i32) (param $n i32)
    (local $e i32)
    (local.set $e (i32.add (local.get $d) (local.get $n)))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (v128.store (local.get $d) (i32x4.add (v128.load (local.get $d)) (v128.load (local.get $s))))
        (v128.store offset=16 (local.get $d) (i32x4.add (v128.load offset=16 (local.get $d)) (v128.load offset=16 (local.get $s))))
        (v128.store offset=32 (local.get $d) (i32x4.add (v128.load offset=32 (local.get $d)) (v128.load offset=32 (local.get $s))))
        (v128.store offset=48 (local.get $d) (i32x4.add (v128.load offset=48 (local.get $d)) (v128.load offset=48 (local.get $s))))
        (local.set $d (i32.add (local.get $d) (i32.const 64)))
        (local.set $s (i32.add (local.get $s) (i32.const 64)))
        (br $next))))

  (func (export "sub1") (param $d i32) (param $s i32) (param $n i32)
    (local $e i32)
    (local.set $e (i32.add (local.get $d) (local.get $n)))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (v128.store (local.get $d) (i32x4.sub (v128.load (local.get $d)) (v128.load (local.get $s))))
        (v128.store offset=16 (local.get $d) (i32x4.sub (v128.load offset=16 (local.get $d)) (v128.load offset=16 (local.get $s))))
        (v128.store offset=32 (local.get $d) (i32x4.sub (v128.load offset=32 (local.get $d)) (v128.load offset=32 (local.get $s))))
        (v128.store offset=48 (local.get $d) (i32x4.sub (v128.load offset=48 (local.get $d)) (v128.load offset=48 (local.get $s))))
        (local.set $d (i32.add (local.get $d) (i32.const 64)))
        (local.set $s (i32.add (local.get $s) (i32.const 64)))
        (br $next))))

  (func (export "add4") (param $d i32) (param $s i32) (param $t i32) (param $n i32)
    (local $e i32) (local $s1 i32) (local $s2 i32) (local $s3 i32)
    (local.set $e (i32.add (local.get $d) (local.get $n)))
    (local.set $s1 (i32.add (local.get $s) (local.get $t)))
    (local.set $s2 (i32.add (local.get $s1) (local.get $t)))
    (local.set $s3 (i32.add (local.get $s2) (local.get $t)))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (v128.store (local.get $d)
          (i32x4.add
            (i32x4.add (v128.load (local.get $d)) (v128.load (local.get $s)))
            (i32x4.add
              (v128.load (local.get $s1))
              (i32x4.add (v128.load (local.get $s2)) (v128.load (local.get $s3))))))
        (v128.store offset=16 (local.get $d)
          (i32x4.add
            (i32x4.add (v128.load offset=16 (local.get $d)) (v128.load offset=16 (local.get $s)))
            (i32x4.add
              (v128.load offset=16 (local.get $s1))
              (i32x4.add (v128.load offset=16 (local.get $s2)) (v128.load offset=16 (local.get $s3))))))
        (local.set $d (i32.add (local.get $d) (i32.const 32)))
        (local.set $s (i32.add (local.get $s) (i32.const 32)))
        (local.set $s1 (i32.add (local.get $s1) (i32.const 32)))
        (local.set $s2 (i32.add (local.get $s2) (i32.const 32)))
        (local.set $s3 (i32.add (local.get $s3) (i32.const 32)))
        (br $next))))

  (func (export "sub4") (param $d i32) (param $s i32) (param $t i32) (param $n i32)
    (local $e i32) (local $s1 i32) (local $s2 i32) (local $s3 i32)
    (local.set $e (i32.add (local.get $d) (local.get $n)))
    (local.set $s1 (i32.add (local.get $s) (local.get $t)))
    (local.set $s2 (i32.add (local.get $s1) (local.get $t)))
    (local.set $s3 (i32.add (local.get $s2) (local.get $t)))
    (block $out
      (loop $next
        (br_if $out (i32.ge_u (local.get $d) (local.get $e)))
        (v128.store (local.get $d)
          (i32x4.sub
            (v128.load (local.get $d))
            (i32x4.add
              (i32x4.add (v128.load (local.get $s)) (v128.load (local.get $s1)))
              (i32x4.add (v128.load (local.get $s2)) (v128.load (local.get $s3))))))
        (v128.store offset=16 (local.get $d)
          (i32x4.sub
            (v128.load offset=16 (local.get $d))
            (i32x4.add
              (i32x4.add (v128.load offset=16 (local.get $s)) (v128.load offset=16 (local.get $s1)))
              (i32x4.add (v128.load offset=16 (local.get $s2)) (v128.load offset=16 (local.get $s3))))))
        (local.set $d (i32.add (local.get $d) (i32.const 32)))
        (local.set $s (i32.add (local.get $s) (i32.const 32)))
        (local.set $s1 (i32.add (local.get $s1) (i32.const 32)))
        (local.set $s2 (i32.add (local.get $s2) (i32.const 32)))
        (local.set $s3 (i32.add (local.get $s3) (i32.const 32)))
        (br $next)))))
