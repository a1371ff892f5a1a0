"""A second verifier of audit bundles, written from docs/audit.md and docs/protocol.md and from nothing else of this project.

Usage: verify.py BUNDLE --roster-hash HEX [--previous NOTE] [--json] [--pure]

Prints PASS, FAIL or INCOMPLETE with counts and exits with 0, 7 or 8, like `veilsum-audit verify` (docs/audit.md); 2 for a wrong command line.
Needs Python 3.9 and its standard library. The package `cryptography` is used where it is installed and `--pure` is not given; without it
Ed25519, X25519 and AES are computed here: slow, fine for small vectors, and never to be used with secrets, since its times depend on them.

Section numbers are those of docs/protocol.md, check numbers those of docs/audit.md "What is checked".
"""

import argparse
import array
import base64
import hashlib
import hmac
import json
import math
import re
import statistics
import struct
import sys

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    FAST = True
except ImportError:
    FAST = False

MAGIC = b"veilsum-bundle-1\n"
EXIT = {"PASS": 0, "FAIL": 7, "INCOMPLETE": 8}
FIVE_MINUTES = 300_000
M61 = 2**61 - 1
# Own AES does some ten thousand blocks a second: what a round may ask of it before it is left out and said so.
SLOW_AES_BLOCKS = 500_000


class Broken(Exception):
    """A check that failed: code of docs/errors.md, and what was seen."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class Missing(Exception):
    """Something that the bundle does not hold or that this program does not compute; nothing contradicts."""


def need(condition, code, text):
    if not condition:
        raise Broken(code, text)


# Hashes and key derivation, §2.1.


def labelled(label):
    full = b"veilsum/v1/" + label.encode()
    return struct.pack(">H", len(full)) + full


def h(label, data):
    return hashlib.sha256(labelled(label) + data).digest()


def sha(data):
    return hashlib.sha256(data).digest()


def hkdf(ikm, salt, label, info=b""):
    """RFC 5869 with one block of output."""
    prk = hmac.new(salt, ikm, hashlib.sha256).digest()
    return hmac.new(prk, labelled(label) + info + b"\x01", hashlib.sha256).digest()


def u16(n):
    return struct.pack(">H", n)


# Ed25519 (RFC 8032), without the cofactor.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def point_add(p, q):
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, i = b - a, d - c, d + c, b + a
    return (e * f % P, g * i % P, f * g % P, e * i % P)


def point_times(n, p):
    result = NEUTRAL
    while n:
        if n & 1:
            result = point_add(result, p)
        p = point_add(p, p)
        n >>= 1
    return result


def point_bytes(p):
    z = pow(p[2], P - 2, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def point_from(data):
    """The point, or None where the encoding is not canonical or not on the curve."""
    value = int.from_bytes(data, "little")
    sign, y = value >> 255, value & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point_from((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def admissible(key):
    """Canonical, on the curve, of prime order (§2.1)."""
    p = point_from(key)
    return p is not None and point_bytes(p) != point_bytes(NEUTRAL) and point_bytes(point_times(L, p)) == point_bytes(NEUTRAL)


def signed_by(key, signature, message):
    if len(key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    if FAST:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
            return True
        except InvalidSignature:
            return False
    public = point_from(key)
    if public is None:
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    minus = (P - public[0], public[1], 1, P - public[3])
    return point_bytes(point_add(point_times(s, BASE), point_times(k, minus))) == signature[:32]


# X25519 (RFC 7748).


def x25519(secret, public):
    if FAST and any(public) and public != x25519.base:
        try:
            return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))
        except ValueError:
            return bytes(32)
    k = bytearray(secret)
    k[0] &= 248
    k[31] = k[31] & 127 | 64
    scalar = int.from_bytes(k, "little")
    x1 = int.from_bytes(public, "little") & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = scalar >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        aa, bb = a * a % P, b * b % P
        x3, z3 = (da + cb) ** 2 % P, x1 * (da - cb) ** 2 % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


x25519.base = (9).to_bytes(32, "little")

# AES-256-CTR with an initial counter block of zero, §2.1.


def aes_tables():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= (p << 1) ^ (0x11B if p & 0x80 else 0)
        p &= 0xFF
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        box[p] = 0x63 ^ q ^ (q << 1 | q >> 7) & 255 ^ (q << 2 | q >> 6) & 255 ^ (q << 3 | q >> 5) & 255 ^ (q << 4 | q >> 4) & 255
        if p == 1:
            break
    first = []
    for s in box:
        two = (s << 1) ^ (0x11B if s & 0x80 else 0)
        first.append(two << 24 | s << 16 | s << 8 | two ^ s)
    turned = lambda n: [(w >> n | w << 32 - n) & 0xFFFFFFFF for w in first]
    return box, [first, turned(8), turned(16), turned(24)]


BOX, (T0, T1, T2, T3) = aes_tables()


def aes_keys(key):
    words, power = list(struct.unpack(">8I", key)), 1
    sub = lambda w: BOX[w >> 24] << 24 | BOX[w >> 16 & 255] << 16 | BOX[w >> 8 & 255] << 8 | BOX[w & 255]
    for i in range(8, 60):
        w = words[-1]
        if i % 8 == 0:
            w = sub((w << 8 | w >> 24) & 0xFFFFFFFF) ^ power << 24
            power <<= 1
        elif i % 8 == 4:
            w = sub(w)
        words.append(words[i - 8] ^ w)
    return words


def aes_block(w, number):
    a, b, c, d = w[0] ^ number >> 96, w[1] ^ number >> 64 & 0xFFFFFFFF, w[2] ^ number >> 32 & 0xFFFFFFFF, w[3] ^ number & 0xFFFFFFFF
    for r in range(4, 56, 4):
        a, b, c, d = (
            T0[a >> 24] ^ T1[b >> 16 & 255] ^ T2[c >> 8 & 255] ^ T3[d & 255] ^ w[r],
            T0[b >> 24] ^ T1[c >> 16 & 255] ^ T2[d >> 8 & 255] ^ T3[a & 255] ^ w[r + 1],
            T0[c >> 24] ^ T1[d >> 16 & 255] ^ T2[a >> 8 & 255] ^ T3[b & 255] ^ w[r + 2],
            T0[d >> 24] ^ T1[a >> 16 & 255] ^ T2[b >> 8 & 255] ^ T3[c & 255] ^ w[r + 3],
        )
    last = lambda i, j, k, l, key: (BOX[i >> 24] << 24 | BOX[j >> 16 & 255] << 16 | BOX[k >> 8 & 255] << 8 | BOX[l & 255]) ^ key
    return struct.pack(">4I", last(a, b, c, d, w[56]), last(b, c, d, a, w[57]), last(c, d, a, b, w[58]), last(d, a, b, c, w[59]))


def stream(key, size):
    if FAST:
        return Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(size))
    words = aes_keys(key)
    return b"".join(aes_block(words, n) for n in range((size + 15) // 16))[:size]


def little(code, data):
    values = array.array(code, data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def turn_back(values, key):
    """The inverse of a round's rotation (§2.5), in place: of the last P coordinates, then of the first P, P the largest power of two up to d."""
    d, width = len(values), 1
    while 2 * width <= d:
        width *= 2
    size = (width + 7) // 8
    steps = [0] if width == d else [0, d - width]
    signs = stream(key, size * len(steps))
    scale = 1 / math.sqrt(width)
    for n, start in reversed(list(enumerate(steps))):
        part, half = values[start : start + width], 1
        while half < width:
            for low in range(0, width, 2 * half):
                for i in range(low, low + half):
                    part[i], part[i + half] = part[i] + part[i + half], part[i] - part[i + half]
            half *= 2
        bits = signs[n * size : (n + 1) * size]
        for i in range(width):
            v = part[i] * scale
            values[start + i] = -v if bits[i >> 3] >> (i & 7) & 1 else v


# Protocol buffers: a schema is {field number: (name, type)}; a type is u (varint), s, b, d (double), f (float), q (fixed64) or a schema's
# name, with * where it repeats and ? in a oneof, which is written also where it is 0. A number before a field is its own, and the next
# ones follow it. Numbers are those of proto.

SCHEMAS = {
    "Envelope": "payload:b signer:s signature:b type:s",
    "BlobRef": "sha256:b size:u",
    "Roster": "version:u consortium:s epoch:u previous:b operators:Officer* auditors:Officer* members:Member* coordinator_key:b log_key:b governance:b",
    "Chain": "rosters:Signed*",
    "Signed": "roster:b signatures:b*",
    "Successor": "silo_id:s epoch:u previous:b hash:b reason:s at:u roster:b",
    "Officer": "id:s signing_key:b",
    "Member": "id:s signing_key:b cosigning_key:b uri:s organisation:s valid_from:u valid_until:u",
    "Manifest": "version:u job_id:s roster_hash:b kind:u silos:s* c:u min_cohort:u forward:BlobRef initial:b recipe:b update_rule:b layout:Layout"
    " m:u privacy:b round_limit:u contract:b full:u timeouts:Timeouts rejected_limit:u acceptance:Acceptance standardise_by:Source description:s"
    " reopened:b* closing:Layout train:s* noise:Noise local:s* graph:Regular"
    " unit_noise:UnitNoise",
    "Regular": "absent:u",
    "Timeouts": "advertise:u share:u mask:u confirm:u unmask:u absent:u grace:u",
    "Noise": "mechanism:u variance:d tail:u rotated:u record_sensitivity:d",
    "UnitNoise": "unit_column:s clip:d noise:d batch:u min_units:u steps:u",
    "Source": "job_id:s result_hash:b",
    "Acceptance": "min_weight:d max_mean_norm:d",
    "Layout": "segments:Segment*",
    "Segment": "name:s length:u real:Real integer:Integer visibility:u coarse_step:u",
    "Real": "clip_kind:u clip:d scale:d q_max:u",
    "Integer": "max:u",
    "Rule": "fed_avg:Rate fed_avg_m:b fed_adam:b fed_yogi:b fed_adagrad:b",
    "Rate": "rate:d",
    # Of TrainingRecipe only what decides how a sum is read.
    "Recipe": "15 fed_nova:Empty scaffold:Empty 21 stopping:Empty",
    # For messages of which only matters whether they are there.
    "Empty": "",
    "Entry": "version:u kind:u job:s round:u attempt:u subject:s at:u envelope:b digest:b statement:b",
    "Closing": "rid:b members:b transcript:b",
    "Plan": "version:u job_id:s manifest_hash:b round:u epoch:u previous:b model:b cohort:s* n:u t:u kem:s graph:PlanGraph",
    "PlanGraph": "degree:u share_threshold:u absent:u",
    "AttemptStart": "rid:b attempt:u checkpoint:b excluded:b*",
    "Advertise": "rid:b attempt:u index:u channel_key:b mask_key:b model:b last_ack:b checkpoint:b",
    "ShareHeader": "t1:b index:u self_commitment:b entries:ShareEntry*",
    "ShareEntry": "recipient:u ephemeral:b ciphertext:b self_share:b key_share:b",
    "MaskedHeader": "t1:b t2:b index:u length:u root:b",
    "Request": "rid:b attempt:u t2:b survivors:b headers:b* sum_hash:b",
    "Consistency": "t3:b index:u tau0:q tau1:q",
    "Result": "rid:b attempt:u t3:b selves:Secret* masks:Secret* consistency:b* missing:u* sum_hash:b opened_hash:b outcome:u model:b ends:u",
    "Secret": "index:u secret:b",
    "Transcript": "plan:b attempt:b advertised:b* headers:b* request:b",
    "Ack": "result_hash:b outcome:u coverage:u model:b charge:b",
    "Charge": "data_set:b rounds:u",
    "Action": "action:s reason:s objects:b*",
    "Abort": "job_id:s rid:b attempt:u phase:s code:s evidence:b*",
    "Decline": "rid:b attempt:u code:s",
    "Abandon": "job_id:s rid:b round:u reason:s proof:b*",
    "Approval": "silo_id:s manifest_hash:b approved:u note:s at:u",
    "Hello": "silo_id:s nonce:b checkpoint:b",
    "Dispute": "result_hash:b code:s evidence:b*",
    "Exclude": "silo_id:s manifest_hash:b excluded:s reason:s at:u",
    "Rollback": "silo_id:s manifest_hash:b after:b base_round:u base_model:b reason:s at:u",
    "Contract": "2 features:Feature* 6 max_rows:u",
    "Feature": "column:s minimum:d maximum:d",
    # proto/onnx/onnx.proto.
    "Model": "ir:u producer:s producer_version:s domain:s version:u doc:s graph:Graph opsets:Opset* 14 metadata:Pair* 20 training:Empty*"
    " 25 functions:b*",
    "Opset": "domain:s version:u",
    "Pair": "key:s value:s",
    "Graph": "nodes:Node* name:s 5 tensors:Tensor* 10 doc:s inputs:Value* outputs:Value* values:Value* 15 sparse:Empty*",
    "Node": "inputs:s* outputs:s* name:s operator:s attributes:Attribute* doc:s domain:s overload:s",
    "Attribute": "name:s f:f i:u s:b t:Tensor g:Graph floats:f* ints:u* strings:b* 13 doc:s 20 type:u ref:s",
    "Tensor": "dims:u* type:u 4 floats:f* int32s:u* strings:b* int64s:u* name:s raw:b doubles:d* uint64s:u* doc:s external:Pair* location:u",
    "Value": "name:s type:Type doc:s",
    "Type": "tensor:TensorType? 6 denotation:s",
    "TensorType": "element:u shape:Shape",
    "Shape": "dims:Dimension*",
    "Dimension": "value:u? name:s? denotation:s",
}


def schema(words):
    number, fields = 0, {}
    for word in words.split():
        if word.isdigit():
            number = int(word) - 1
        else:
            number += 1
            fields[number] = tuple(word.split(":"))
    return fields


SCHEMAS = {name: schema(words) for name, words in SCHEMAS.items()}


WIRE_TYPES = {"u": 0, "q": 1, "d": 1, "f": 5}


def varint(data, at):
    value = shift = 0
    while True:
        need(at < len(data) and shift < 70, "wire/malformed", "a number is cut off")
        value |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return value, at


def parse(name, data):
    """The message as a dictionary with every field of its schema; under "unknown" what is not in it."""
    schema = SCHEMAS[name]
    out = {field: [] if kind.endswith("*") else {"u": 0, "q": 0, "d": 0.0, "f": 0.0, "s": "", "b": b""}.get(kind) for field, kind in schema.values()}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        number, wire, start = tag >> 3, tag & 7, at
        if wire == 0:
            value, at = varint(data, at)
        else:
            size = {1: 8, 5: 4}.get(wire)
            if wire == 2:
                size, at = varint(data, at)
            need(size is not None and at + size <= len(data), "wire/malformed", f"{name}: field {number} is cut off")
            value, at = data[at : at + size], at + size
        if number not in schema:
            out.setdefault("unknown", []).append((tag, data[start:at]))
            continue
        field, kind = schema[number]
        base, many = kind.rstrip("*?"), kind.endswith("*")
        expected = WIRE_TYPES.get(base, 2)
        if many and wire == 2 and base in "fd":
            out[field] += little(base, value).tolist()
            continue
        if many and wire == 2 and base == "u":
            inner = 0
            while inner < len(value):
                one, inner = varint(value, inner)
                out[field].append(one)
            continue
        need(wire == expected, "wire/malformed", f"{name}: field {field} has wire type {wire}")
        if base == "s":
            try:
                value = value.decode()
            except UnicodeDecodeError:
                raise Broken("wire/malformed", f"{name}: field {field} is no text") from None
        elif base in ("d", "q", "f"):
            value = struct.unpack({"d": "<d", "q": "<Q", "f": "<f"}[base], value)[0]
        elif base not in ("u", "b"):
            value = parse(base, value)
        if many:
            out[field].append(value)
        else:
            out[field] = value
    return out


def var(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def put(tag, kind, value):
    if kind == "u":
        return var(tag) + var(value)
    if kind in WIRE_TYPES:
        return var(tag) + struct.pack("<" + kind.replace("q", "Q"), value)
    data = value.encode() if kind == "s" else value if kind == "b" else canonical(kind, value)
    return var(tag) + var(len(data)) + data


def canonical(name, message):
    """The one serialisation of §2.1: fields by number, nothing for a default, numbers packed, unknown fields by tag behind them."""
    out = []
    for number, (field, kind) in SCHEMAS[name].items():
        base, value = kind.rstrip("*?"), message[field]
        tag = number << 3 | WIRE_TYPES.get(base, 2)
        if kind.endswith("*") and base in WIRE_TYPES:
            packed = b"".join(map(var, value)) if base == "u" else struct.pack(f"<{len(value)}{base}", *value)
            out.append(put(number << 3 | 2, "b", packed) if value else b"")
        elif kind.endswith("*"):
            out += [put(tag, base, one) for one in value]
        elif value if base == kind else value is not None:
            out.append(put(tag, base, value))
    return b"".join(out + [var(tag) + raw for tag, raw in sorted(message.get("unknown", []), key=lambda pair: pair[0])])


def bitmap(data, n):
    need(len(data) == (n + 7) // 8 and int.from_bytes(data, "little") < 1 << n, "verify/bitmap", f"a bitmap is not one of {n}")
    return [i for i in range(n) if data[i >> 3] >> (i & 7) & 1]


def unpack(data, width, count):
    """§2.1 Packing; eight values of any width fill whole bytes."""
    need(len(data) == (count * width + 7) // 8, "result/sum", f"{len(data)} bytes are not {count} values of {width} bits")
    out, mask = [], (1 << width) - 1
    for at in range(0, len(data), width):
        value = int.from_bytes(data[at : at + width], "little")
        for _ in range(8):
            out.append(value & mask)
            value >>= width
    need(not any(out[count:]) , "result/sum", "padding is not zero")
    return out[:count]


def read_bundle(data):
    """docs/audit.md "The bundle, byte by byte"."""

    def check(condition, text):
        need(condition, "verify/bundle", text)

    tail = len(MAGIC) + 8
    check(len(data) >= 2 * len(MAGIC) + 12 and data.startswith(MAGIC) and data.endswith(MAGIC), "no bundle, or cut off")
    (end,) = struct.unpack(">Q", data[-tail : -tail + 8])
    check(len(MAGIC) <= end <= len(data) - tail - 4, "contents lie outside the file")
    (count,) = struct.unpack(">I", data[end : end + 4])
    at, here, parts = end + 4, len(MAGIC), {}
    check(count <= 1_000_000, "too many parts")
    for _ in range(count):
        check(at + 2 <= len(data) - tail, "contents are cut off")
        (size,) = struct.unpack(">H", data[at : at + 2])
        name, at = data[at + 2 : at + 2 + size].decode("latin1"), at + 2 + size
        check(at + 48 <= len(data) - tail, "contents are cut off")
        offset, length = struct.unpack(">QQ", data[at : at + 16])
        digest, at = data[at + 16 : at + 48], at + 48
        check(re.fullmatch(r"[a-z0-9/-]{1,200}", name) and name not in parts, f"bad or repeated name {name!r}")
        head = u16(size) + name.encode() + struct.pack(">Q", length)
        check(data[here : here + len(head)] == head and offset == here + len(head), f"{name} does not lie where contents say")
        here = offset + length
        check(here <= end, f"{name} is cut off")
        parts[name] = data[offset:here]
        check(sha(parts[name]) == digest, f"{name} was damaged: its SHA-256 is another")
    check(at == len(data) - tail and here == end, "bytes between parts")
    return parts


def frames(data, size, code):
    out, at = [], 0
    while at < len(data):
        need(at + size <= len(data), code, "the last length is cut off")
        length = int.from_bytes(data[at : at + size], "big")
        need(at + size + length <= len(data), code, "the last frame is cut off")
        out.append(data[at + size : at + size + length])
        at += size + length
    return out


class Tree:
    """RFC 6962 §2.1, with the root at every size."""

    def __init__(self, entries):
        self.levels = [[sha(b"\0" + entry) for entry in entries]]
        while len(self.levels[-1]) > 1:
            below = self.levels[-1]
            self.levels.append([sha(b"\1" + below[k] + below[k + 1]) for k in range(0, len(below) - 1, 2)])

    def root(self, size):
        root = None
        for level, nodes in enumerate(self.levels):
            if size >> level & 1:
                node = nodes[(size >> level) - 1]
                root = node if root is None else sha(b"\1" + node + root)
        return sha(b"") if root is None else root


# kind: (name, signed type, schema, depth: 0 consortium, 1 job, 2 round, 3 attempt); §4.3.
KINDS = {
    1: ("roster", None, None, 0), 2: ("manifest", "manifest", "Manifest", 1), 3: ("approval", "approval", "Approval", 1),
    4: ("certificate-issued", None, None, 0), 5: ("certificate-revoked", None, None, 0), 6: ("hello", "hello", "Hello", 0),
    7: ("plan", "plan", "Plan", 2), 8: ("attempt", "attempt-start", "AttemptStart", 3), 9: ("advertise", "advertise", "Advertise", 3),
    10: ("t1", None, "Closing", 3), 11: ("share-header", "share-header", "ShareHeader", 3), 12: ("t2", None, "Closing", 3),
    13: ("masked-header", "masked-header", "MaskedHeader", 3), 14: ("t3", "survivors", "Request", 3),
    15: ("consistency", "consistency", "Consistency", 3), 16: ("release", None, None, 3), 17: ("result", "result", "Result", 3),
    18: ("ack", "ack", "Ack", 2), 19: ("protest", "protest", None, 3), 20: ("dispute", "dispute", "Dispute", 2),
    21: ("complaint", "complaint", None, 3), 22: ("answer", "answer", None, 3), 23: ("decline", "decline", "Decline", 3),
    24: ("abort", "abort", "Abort", 3), 25: ("abandon", "abandon", "Abandon", 2), 26: ("ledger-charge", None, None, 2),
    27: ("operator-action", None, None, None), 28: ("export", None, None, None), 29: ("auditor-read", None, None, None),
    30: ("erasure", None, None, None), 31: ("exclude", "exclude", "Exclude", 1), 32: ("rollback", "rollback", "Rollback", 1),
    33: ("successor", "successor", "Successor", 0),
}  # fmt: skip


class Logged:
    """An entry, and the signed message in it where there is one."""

    def __init__(self, index, entry, kind):
        self.index, self.kind, self.depth = index, kind[0], kind[3]
        self.job, self.round, self.attempt, self.subject, self.at = (entry[k] for k in ("job", "round", "attempt", "subject", "at"))
        self.statement, self.digest = entry["statement"], entry["digest"]
        self.bytes, self.envelope, self.message = None, None, None

    def where(self):
        return f"entry {self.index} ({self.kind})"


class Verifier:
    def __init__(self, parts):
        self.parts, self.findings, self.gaps, self.counts, self.log, self.rounds = parts, [], [], {}, [], []
        # By job: model and trained tensors before the first round; means and deviations of the columns.
        self.models, self.statistics = {}, {}

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def part(self, name):
        if name not in self.parts:
            raise Missing(f"the bundle has no part {name}")
        return self.parts[name]

    def try_(self, where, check, *arguments):
        """Runs one check; what it finds is kept, and the others go on."""
        try:
            return check(*arguments)
        except Broken as broken:
            self.findings.append({"code": broken.code, "where": where, "message": str(broken)})
        except Missing as missing:
            self.gaps.append(f"{where}: {missing}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error) as error:
            # Whoever wrote the bundle has put something else in a place than what belongs there.
            self.findings.append({"code": "wire/malformed", "where": where, "message": f"{type(error).__name__}: {error}"})
        return None

    def open(self, data, type_, schema, signer=None):
        """The message in an envelope (§2.1) of this type and signer."""
        envelope = parse("Envelope", data)
        need(envelope["type"] == type_, "envelope/wrong-type", f"{envelope['type']!r} stands where {type_!r} is due")
        who = envelope["signer"]
        need(signer is None or who == signer, "envelope/wrong-signer", f"{type_} of {who}, due is {signer}")
        need(who in self.keys, "envelope/unknown-signer", f"{who!r} is not in the roster")
        message = labelled("sig/" + type_) + envelope["payload"]
        need(signed_by(self.keys[who], envelope["signature"], message), "envelope/bad-signature", f"{type_} of {who}")
        self.count("signatures")
        out = parse(schema, envelope["payload"]) if schema else {}
        return {**out, "payload": envelope["payload"], "signer": who}

    # Check 1.

    def roster(self, pinned):
        """The pinned roster, and those that followed it: each with the signatures of enough members of the one before (§2.2)."""
        data = self.part("roster")
        need(h("roster", data) == pinned, "roster/wrong-hash", f"the roster has the hash {h('roster', data).hex()}")
        self.ros = self.one_roster(data)
        need(self.ros["epoch"] == 0 or len(self.ros["previous"]) == 32, "roster/invalid", "epoch or previous roster")
        self.chain, self.at_epoch = [self.ros], 0
        self.keys = self.ros["keys"]
        for signed in parse("Chain", self.parts.get("roster-successors", b""))["rosters"]:
            self.succeed(signed)

    def succeed(self, signed):
        before, r = self.chain[-1], self.one_roster(signed["roster"])
        need((r["epoch"], r["previous"]) == (before["epoch"] + 1, before["hash"]), "roster/epoch", f"epoch {r['epoch']} follows another roster")
        fixed = ("consortium", "coordinator_key", "log_key")
        need([r[k] for k in fixed] == [before[k] for k in fixed], "roster/fixed", "a successor changes what it must keep")
        for old in (m for one in self.chain for m in one["members"]):
            for m in r["members"]:
                pairs = [{x["signing_key"], x["cosigning_key"]} for x in (old, m)]
                same = (old["signing_key"], old["cosigning_key"]) == (m["signing_key"], m["cosigning_key"])
                need(same if old["id"] == m["id"] else not pairs[0] & pairs[1], "roster/keys", f"keys of {m['id']}")
        self.keys, signers = before["keys"], set()
        for data in signed["signatures"]:
            m = self.open(data, "successor", "Successor")
            about = (m["signer"], m["epoch"], m["previous"], m["hash"])
            due = ("silo/" + m["silo_id"], r["epoch"], before["hash"], r["hash"])
            need(about == due, "roster/signature", f"a signature of {m['signer']} is about another roster")
            signers.add(m["signer"])
        need(len(signers) >= 2 * len(before["members"]) // 3 + 1, "roster/too-few", f"{len(signers)} members have signed epoch {r['epoch']}")
        self.chain.append(r)
        self.keys = self.ros["keys"]

    def one_roster(self, data):
        r = parse("Roster", data)
        ids = [m["id"] for m in r["members"]]
        bad = lambda condition, text: need(condition, "roster/invalid", text)
        bad(r["version"] == 1 and len(r["previous"]) == 32 * bool(r["epoch"]), "version, epoch or previous roster")
        bad(3 <= len(ids) <= 400 and ids == sorted(set(ids), key=str.encode), "members are not 3 to 400, sorted and each once")
        officers = [("operator", o) for o in r["operators"]] + [("auditor", o) for o in r["auditors"]]
        for name in [r["consortium"], *ids, *(o["id"] for _, o in officers)]:
            bad(re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name), f"name {name!r}")
        signers = [("coordinator", r["coordinator_key"])] + [(f"{role}/{o['id']}", o["signing_key"]) for role, o in officers]
        signers += [("silo/" + m["id"], m["signing_key"]) for m in r["members"]]
        r["keys"], r["hash"] = dict(signers), h("roster", data)
        keys = [key for _, key in signers] + [m["cosigning_key"] for m in r["members"]] + [r["log_key"]] * bool(r["log_key"])
        bad(len(r["keys"]) == len(signers) and len(set(keys)) == len(keys), "a signer or a key occurs twice")
        bad(all(admissible(key) for key in keys), "a key is not an Ed25519 key of prime order")
        for m in r["members"]:
            bad(m["uri"] == f"spiffe://{r['consortium']}/silo/{m['id']}", f"TLS identity of {m['id']}")
        self.count("keys", len(keys))
        return r

    # Checks 2 to 5.

    def note(self, data):
        """Text, origin, size, root and signature lines of a signed note (§4.2); the log's signature holds."""
        text, _, lines = data.partition(b"\n\n")
        text += b"\n"
        origin, size, root = self.checkpoint_text(text)
        name = self.ros["consortium"] + "/log"
        need(origin == name and self.ros["log_key"], "log/note", f"checkpoint of {origin!r}, not of this log")
        signatures = []
        for line in lines.decode("utf-8", "replace").split("\n")[:-1]:
            match = re.fullmatch("\u2014 ([^ +]+) ([A-Za-z0-9+/]+={0,2})", line)
            need(match, "log/note", f"not a signature line: {line[:80]!r}")
            raw = base64.b64decode(match[2], validate=True)
            signatures.append((match[1], raw[:4], raw[4:]))
        own = [s for who, id_, s in signatures if (who, id_) == (name, self.key_id(name, 1, self.ros["log_key"]))]
        need(own and all(signed_by(self.ros["log_key"], s, text) for s in own), "log/note", "the log has not signed the checkpoint")
        return text, size, root, signatures

    @staticmethod
    def key_id(name, kind, key):
        return sha(name.encode() + b"\n" + bytes([kind]) + key)[:4]

    @staticmethod
    def checkpoint_text(text):
        match = re.fullmatch(rb"([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n", text)
        need(match, "log/note", "the text is no checkpoint")
        root = base64.b64decode(match[3])
        need(base64.b64encode(root) == match[3], "log/note", "the root is not canonical Base64")
        return match[1].decode(), int(match[2]), root

    def cosigned(self, text, signatures, silos):
        """Times, in seconds, of the cosignatures of these silos that verify."""
        times = {}
        # Those who were removed, too: a name keeps its keys, and the quorum is one of the silos of the manifest.
        for m in {m["id"]: m for one in self.chain for m in one["members"]}.values():
            name = f"{self.ros['consortium']}/silo/{m['id']}"
            if m["id"] not in silos:
                continue
            for who, id_, raw in signatures:
                if (who, id_) != (name, self.key_id(name, 4, m["cosigning_key"])) or len(raw) != 72:
                    continue
                (at,) = struct.unpack(">Q", raw[:8])
                if signed_by(m["cosigning_key"], raw[8:], b"cosignature/v1\ntime %d\n" % at + text):
                    times[m["id"]] = at
        return list(times.values())

    def read_log(self):
        raw = frames(self.part("log/entries"), 2, "transcript/entry-malformed")
        self.tree = Tree(raw)
        for index, data in enumerate(raw):
            entry = self.try_(f"entry {index}", self.entry, index, data)
            if entry:
                self.log.append(entry)
                if entry.kind == "roster" and index > 0:
                    self.try_(entry.where(), self.in_force, entry)
        # From here on messages are those of rounds, and of silos: a name keeps its keys from epoch to epoch.
        self.keys = {who: key for one in self.chain for who, key in one["keys"].items()}
        self.count("entries", len(raw))
        self.text, size, root, self.notes = self.note(self.part("checkpoint"))
        need(size == len(raw) and self.tree.root(size) == root, "log/root", "the entries do not give the root of the checkpoint")
        first = self.log[0] if self.log else None
        need(first and first.kind == "roster" and first.digest == h("roster", self.parts["roster"]), "log/root", "entry 0 is not the roster")

    def in_force(self, entry):
        """The log puts the next roster in force: what stands behind this entry is signed by its keys."""
        more = self.chain[self.at_epoch + 1 :]
        need(more and entry.digest == more[0]["hash"], "verify/roster-order", "the bundle has no such roster after the one in force")
        self.at_epoch += 1
        self.keys = more[0]["keys"]
        self.count("epochs")

    def entry(self, index, data):
        e = parse("Entry", data)
        need("unknown" not in e and canonical("Entry", e) == data, "transcript/entry-malformed", "the encoding is not canonical")
        need(e["version"] == 1, "transcript/entry-version", f"version {e['version']}")
        need(e["kind"] in KINDS, "transcript/entry-kind", f"kind {e['kind']}")
        name, type_, schema, depth = kind = KINDS[e["kind"]]
        bad = lambda condition, text: need(condition, "transcript/bad-entry", f"{name}: {text}")
        bad(sum(bool(e[k]) for k in ("envelope", "digest", "statement")) == 1, "not one body")
        filled = [bool(e["job"]), bool(e["round"]), bool(e["attempt"])]
        bad(filled == [k < (sum(filled) if depth is None else depth) for k in range(3)], "job, round or attempt")
        out = Logged(index, e, kind)
        out.roster = self.chain[self.at_epoch]
        if type_ is None:
            if name in ("t1", "t2"):
                out.message = parse(schema, e["statement"])
            return out
        bad(not e["statement"], "a statement where an envelope is due")
        out.bytes = e["envelope"] or self.parts.get("beside/" + e["digest"].hex())
        if out.bytes is None:
            raise Missing(f"{name} is in no part beside/{e['digest'].hex()}")
        need(e["envelope"] or sha(out.bytes) == e["digest"], "verify/bundle", f"what lies beside {name} has another SHA-256")
        out.message = self.open(out.bytes, type_, schema, out.subject)
        m = out.message
        for field, place in (("job_id", e["job"]), ("round", e["round"]), ("attempt", e["attempt"])):
            need(m.get(field, place) == place, "verify/entry-place", f"{name} stands under {field} {place!r}, says {m.get(field)!r}")
        return out

    def of(self, kind, job=None, round_=None, attempt=None):
        return [
            e
            for e in self.log
            if e.kind == kind and job in (None, e.job) and round_ in (None, e.round) and attempt in (None, e.attempt)
        ]

    def times(self, previous):
        cosigned = self.cosigned(self.text, self.notes, set(self.manifest["silos"]))
        quorum = -(-(len(self.manifest["silos"]) + self.manifest["c"] + 1) // 2)
        self.count("cosignatures", len(cosigned))
        need(len(cosigned) >= quorum, "log/no-quorum", f"{len(cosigned)} silos have cosigned, {quorum} are due")
        newest = statistics.median_high(cosigned) * 1000 + FIVE_MINUTES
        latest = 0
        for e in self.log:
            need(latest - FIVE_MINUTES <= e.at <= newest, "verify/back-dated", f"{e.where()} was recorded at {e.at}")
            latest = max(latest, e.at)
        if previous is None:
            return
        text, size, root, signatures = self.note(previous)
        need(size <= len(self.tree.levels[0]), "log/shrunk", "the log is shorter than --previous")
        need(self.tree.root(size) == root, "log/fork", "the log does not begin with that of --previous")
        before = self.cosigned(text, signatures, set(self.manifest["silos"]))
        for e in self.log if before else []:
            need(e.index < size or e.at >= statistics.median_low(before) * 1000 - FIVE_MINUTES, "verify/back-dated", e.where())

    def once(self):
        single = {"manifest", "plan", "attempt", "t1", "t2", "t3", "release", "complaint", "answer", "protest", "abort", "decline", "approval"}
        codes = {"release": "verify/second-release"}
        seen = {}
        for e in self.log:
            if e.kind == "consistency":
                first = seen.setdefault((e.kind, e.job, e.round, e.attempt, e.subject), e)
                need(first.bytes == e.bytes, "verify/second-consistency", f"{e.where()} after {first.where()}")
            elif e.kind in ("result", "abandon"):
                first = seen.setdefault(("terminal", e.job, e.round), e)
                need(first is e, "verify/second-terminal", f"{e.where()} after {first.where()}")
            elif e.kind in single:
                # A silo can complain of several dealers, and aborts once more because of an Abandon.
                more = e.message.get("payload") if e.kind in ("complaint", "answer") else None
                if e.kind == "abort":
                    more = ("terminal", e.job, e.round) in seen
                first = seen.setdefault((e.kind, e.job, e.round, e.attempt, e.subject if e.depth and e.kind not in ("t1", "t2") else "", more), e)
                code = codes.get(e.kind, "verify/second-entry") if e.digest != first.digest else "verify/second-entry"
                need(first is e, code, f"{e.where()} after {first.where()}")
        for e in self.of("release"):
            for earlier in self.of("release", e.job, e.round):
                if earlier.subject == e.subject and earlier.attempt < e.attempt:
                    plan = self.of("plan", e.job, e.round)[0].message
                    out = {a.subject for a in self.of("abort", e.job, e.round) if a.attempt >= earlier.attempt and a.index < e.index}
                    due = dead_after(plan["n"], plan["t"], self.manifest["c"], plan["graph"])
                    need(len(out) >= due, "verify/second-release", f"{e.where()}: {len(out)} Aborts before it, {due} are due")

    # Checks 6 and 7.

    def order(self, job, number, plan, before):
        """Entries of one round in their order, and what its attempts rest on."""

        def behind(later, earlier, what):
            need(later is None or (earlier is not None and earlier.index < later.index), "verify/entry-order", f"{what} in round {number}")

        behind(plan, before, "the plan is not behind the end of the round before")
        approved = {e.message["silo_id"]: e for e in reversed(self.of("approval", job)) if e.message["approved"]}
        for silo in plan.message["cohort"]:
            behind(plan, approved.get(silo), f"no approval of {silo} before the plan")
        starts = self.of("attempt", job, number)
        numbers = [e.attempt for e in starts]
        need(numbers == list(range(1, 1 + len(starts))), "verify/entry-order", f"attempts of round {number}: {numbers}")
        for start in starts:
            a = start.attempt
            self.count("attempts")
            behind(start, plan, "AttemptStart before the plan")
            last = start
            for kind in ("t1", "t2", "t3"):
                for e in self.of(kind, job, number, a):
                    behind(e, last, f"{kind} of attempt {a} out of order")
                    last = e
            t3 = (self.of("t3", job, number, a) or [None])[0]
            signed = sorted(self.of("consistency", job, number, a), key=lambda e: e.index)
            released = sorted(self.of("release", job, number, a), key=lambda e: e.index)
            for e in signed[:1]:
                behind(e, t3, "Consistency before T3")
            t = plan.message["t"]
            if released:
                behind(released[0], signed[t - 1] if len(signed) >= t else None, f"a release before {t} Consistency messages")
            for e in self.of("result", job, number, a):
                behind(e, released[t - 1] if len(released) >= t else None, f"a result before {t} releases")
            size = self.in_log(start.message["checkpoint"], start.where())
            if number > 1:
                need(before.index < size, "log/not-logged", f"{start.where()} rests on a checkpoint of {size} without {before.where()}")

        ended = self.of("result", job, number) + self.of("abandon", job, number)
        for e in self.of("erasure", job, number):
            full = {x.subject for x in self.of("ack", job, number) if x.index < e.index and x.message["coverage"] == 1}
            may = ended and ended[0].index < e.index and (ended[0].kind == "abandon" or len(full) >= plan.message["t"])
            need(may and e.subject == "coordinator", "verify/entry-order", f"{e.where()} before a threshold has verified round {number}")

    def deadlines(self, job, timeouts):
        """U1, U2 and U3 leave nobody out before its time is up; who was barred never comes again."""
        closed = []
        for start in self.of("attempt", job):
            plan, place = self.of("plan", job, start.round)[0].message, (job, start.round, start.attempt)
            gone = {e.subject: e.index for kind in ("decline", "abort") for e in reversed(self.of(kind, *place))}
            before, expected = start, set(range(plan["n"]))
            for kind, most in (("t1", "advertise"), ("t2", "share"), ("t3", "mask")):
                for e in self.of(kind, *place)[:1]:
                    members = set(bitmap(e.message["survivors" if kind == "t3" else "members"], plan["n"]))
                    out = {"silo/" + plan["cohort"][i] for i in expected - members}
                    out = {who for who in out if gone.get(who, e.index) >= e.index}
                    if kind == "t2" and self.of("complaint", *place):
                        out = set()
                    self.count("deadlines")
                    closed.append((e, kind, {"silo/" + plan["cohort"][i] for i in members}))
                    if e.at - before.at < min(timeouts[most], timeouts["absent"]):
                        closed[-1] += (out,)
                    before, expected = e, members
        for e, kind, _, *early in closed:
            for who in sorted(early[0]) if early else ():
                again = any(later.index > e.index and k == "t1" and who in members for later, k, members, *_ in closed)
                need(not again, "verify/closed-early", f"{e.where()} leaves out {who} before its time was up")

    def in_log(self, text, where):
        """Size of a checkpoint that is one of this log."""
        origin, size, root = self.checkpoint_text(text)
        need(origin == self.ros["consortium"] + "/log" and size <= len(self.tree.levels[0]), "log/fork", f"{where}: another log's checkpoint")
        need(self.tree.root(size) == root, "log/fork", f"{where}: another root at size {size}")
        self.count("checkpoints")
        return size

    # Check 8 and 9.

    def plan(self, plan, manifest, number):
        p, j = plan.message, [s for s in manifest["silos"] if "silo/" + s in plan.roster["keys"]]
        need(p["version"] == 1 and p["kem"] in ("", "x25519"), "plan/invalid", "version or key agreement")
        need(p["epoch"] == plan.roster["epoch"], "plan/roster-epoch", f"the plan names epoch {p['epoch']} of the roster")
        need(p["manifest_hash"] == h("manifest", manifest["payload"]), "plan/wrong-manifest", "the plan names another manifest")
        need(p["round"] == number and number <= manifest["round_limit"] + bool(manifest["closing"]), "plan/round-order", f"round {p['round']}")
        cohort, n, t, c = p["cohort"], p["n"], p["t"], manifest["c"]
        need(cohort == sorted(set(cohort), key=str.encode) and set(cohort) <= set(j) and len(cohort) == n, "plan/cohort", "cohort of the plan")
        need(t == 2 * n // 3 + 1, "plan/threshold", f"threshold {t} for {n}")
        need(max(3, manifest["min_cohort"]) <= n <= 200, "plan/floor-cohort", f"a cohort of {n}")
        need(2 * t >= n + c + 1 and c <= n - t and t - c >= 2, "plan/floor-honest", f"n {n}, t {t}, c {c}")
        given = p["graph"] and (p["graph"]["degree"], p["graph"]["share_threshold"], p["graph"]["absent"])
        due = manifest["graph"] and regular(n, t, c, manifest["graph"]["absent"])
        need(given == due and (due or not manifest["graph"]), "plan/graph", f"the masking graph is {given}, due {due}")

    def ours(self, cohort, message):
        need(message["index"] < len(cohort), "message/unexpected", f"index {message['index']}")
        need(message["signer"] == "silo/" + cohort[message["index"]], "envelope/wrong-signer", f"index {message['index']} of {message['signer']}")

    def transcript(self, base, job, entry, manifest, d):
        """P0 to P4 of §2.3: all that T1, T2 and T3 are computed from."""
        raw = parse("Transcript", self.part(base + "/transcript"))
        start_entry = (self.of("attempt", job, entry.round, entry.attempt) or [None])[0]
        request_entry = (self.of("t3", job, entry.round, entry.attempt) or [None])[0]
        for name, logged in (("plan", self.of("plan", job, entry.round)[0]), ("attempt", start_entry), ("request", request_entry)):
            need(logged and logged.bytes == raw[name], "verify/not-logged", f"{name} of the transcript does not stand in the log")
        plan = self.open(raw["plan"], "plan", "Plan", "coordinator")
        start = self.open(raw["attempt"], "attempt-start", "AttemptStart", "coordinator")
        rid, cohort, t, n = h("plan", plan["payload"]), plan["cohort"], plan["t"], plan["n"]
        place = rid + struct.pack(">I", start["attempt"])
        need(start["rid"] == rid and 1 <= start["attempt"] <= 3 and not start["excluded"], "plan/reserved", "AttemptStart")
        rests, keys, leaves = self.checkpoint_text(start["checkpoint"])[1], set(), {}
        u1 = [self.open(e, "advertise", "Advertise") for e in raw["advertised"]]
        for a in u1:
            self.ours(cohort, a)
            need((a["rid"], a["attempt"]) == (rid, start["attempt"]), "keys/wrong-round", f"index {a['index']}")
            need(a["model"] == plan["model"], "keys/model", f"index {a['index']} starts from another model")
            pair = (a["channel_key"], a["mask_key"])
            need(all(len(k) == 32 and any(x25519(b"\1" * 32, k)) for k in pair), "keys/low-order", f"index {a['index']}")
            need(not leaves or a["index"] > max(leaves), "keys/repeated", "indices do not ascend")
            need(len({*pair} - keys) == 2, "keys/repeated", f"a key of index {a['index']}")
            keys |= {*pair}
            leaves[a["index"]] = h("message/advertise", a["payload"])
            need(rests <= self.in_log(a["checkpoint"], f"advertisement of index {a['index']}"), "log/unread", f"index {a['index']}")
        least = n - plan["graph"]["absent"] if plan["graph"] else t
        need(len(u1) >= least, "keys/too-few", f"{len(u1)} advertisements")
        flags = b"".join(b"\1" + leaves[i] if i in leaves else b"\0" for i in range(n))
        t1 = h("T1", place + h("attempt", start["payload"]) + flags)
        self.closed("t1", job, entry, rid, n, list(leaves), t1)
        near = neighbours(t1, n, plan["graph"])

        u2 = {}
        for e in raw["headers"]:
            s = self.open(e, "share-header", "ShareHeader")
            self.ours(cohort, s)
            need(s["t1"] == t1, "share/wrong-transcript", f"index {s['index']} dealt on another T1")
            holders = [i for i in leaves if i in near[s["index"]] or i == s["index"]]
            need([x["recipient"] for x in s["entries"]] == holders, "share/entries", f"index {s['index']}")
            fields = [x[k] for x in s["entries"] for k in ("ephemeral", "ciphertext", "self_share", "key_share")] + [s["self_commitment"]]
            need(all(len(f) == 32 for f in fields), "share/entries", f"index {s['index']}: not 32 bytes")
            need(len({x["ephemeral"] for x in s["entries"]}) == len(holders), "share/repeated-key", f"index {s['index']}")
            need(s["index"] in leaves and (not u2 or s["index"] > max(u2)), "share/not-checked", "dealers are not members of U1 in order")
            u2[s["index"]] = s
        need(len(u2) >= least, "share/too-few", f"{len(u2)} dealers")
        t2 = h("T2", t1 + pack_bitmap(u2, n) + b"".join(h("message/share-header", s["payload"]) for s in u2.values()))
        self.closed("t2", job, entry, rid, n, list(u2), t2)

        r = self.open(raw["request"], "survivors", "Request", "coordinator")
        need((r["rid"], r["attempt"], r["t2"]) == (rid, start["attempt"], t2), "mask/wrong-transcript", "the request is of another transcript")
        u3 = bitmap(r["survivors"], n)
        need(len(u3) >= least, "confirm/too-few", f"{len(u3)} survivors")
        need(set(u3) <= set(u2), "confirm/not-dealer", "a survivor has not dealt")
        headers = [self.open(e, "masked-header", "MaskedHeader") for e in r["headers"]]
        need([m["index"] for m in headers] == u3, "confirm/headers", "not one header for each survivor, in order")
        for m in headers:
            self.ours(cohort, m)
            need((m["t1"], m["t2"], m["length"]) == (t1, t2, d), "mask/wrong-transcript", f"header of index {m['index']}")
        t3 = h("T3", t2 + r["survivors"] + b"".join(h("message/masked-header", m["payload"]) for m in headers) + r["sum_hash"])
        self.count("transcripts")
        masks = {a["index"]: a["mask_key"] for a in u1}
        return dict(rid=rid, attempt=start["attempt"], t1=t1, t2=t2, t3=t3, u2=u2, u3=u3, masks=masks, cohort=cohort, t=t, near=near, hy=r["sum_hash"],
                    roots={m["index"]: m["root"] for m in headers})  # fmt: skip

    def closed(self, kind, job, entry, rid, n, members, transcript):
        statement = (self.of(kind, job, entry.round, entry.attempt) or [None])[0]
        need(statement, "verify/not-logged", f"{kind} of the transcript does not stand in the log")
        m = statement.message
        same = (m["rid"], m["members"], m["transcript"]) == (rid, pack_bitmap(members, n), transcript)
        need(same, "verify/other-transcript", f"{statement.where()} is not the {kind} of the transcript")

    def result(self, base, job, entry, tr, m_bits, d):
        """P6, 1 to 4. Returns X."""
        r, u3 = entry.message, tr["u3"]
        need((r["rid"], r["attempt"], r["t3"]) == (tr["rid"], tr["attempt"], tr["t3"]), "result/wrong-transcript", "rid, attempt or T3")
        gone = [i for i in tr["u2"] if i not in u3]
        for field, members in (("selves", u3), ("masks", gone)):
            need([s["index"] for s in r[field]] == members, "result/openings", f"{field} open {[s['index'] for s in r[field]]}, due {members}")
            for s in r[field]:
                if field == "selves":
                    same = h("commit/self-secret", tr["t1"] + u16(s["index"]) + s["secret"]) == tr["u2"][s["index"]]["self_commitment"]
                else:
                    same = len(s["secret"]) == 32 and x25519(s["secret"], x25519.base) == tr["masks"][s["index"]]
                need(same, "result/commitment", f"the secret of index {s['index']} in {field} is not the committed one")
                self.count("openings")
        missing, present = r["missing"], [i for i in u3 if i not in r["missing"]]
        taus, logged = {}, {e.bytes for e in self.of("consistency", job, entry.round, entry.attempt)}
        for e in r["consistency"]:
            c = self.open(e, "consistency", "Consistency")
            self.ours(tr["cohort"], c)
            need(c["t3"] == tr["t3"] and max(c["tau0"], c["tau1"]) < M61, "unmask/wrong-transcript", f"Consistency of index {c['index']}")
            need(e in logged, "verify/not-logged", f"Consistency of index {c['index']} does not stand in the log")
            taus[c["index"]] = (c["tau0"], c["tau1"])
        fits = list(taus) == present and len(r["consistency"]) == len(present) >= tr["t"] and missing == sorted({*u3} - {*present})
        need(fits, "result/consistency", f"signed by {list(taus)}, missing {missing}, survivors {u3}")

        packed = self.part(base + "/sum")
        need(h("Y", packed) == r["sum_hash"] == tr["hy"], "result/sum", "Y has another hash")
        y = unpack(packed, m_bits + 8, d)
        need(max(y) <= len(u3) * ((1 << m_bits) - 1), "result/sum", "a coordinate of Y is out of range")
        if not FAST and (len(u3) * (1 + len(gone)) + 4) * (d // 4 + 1) > SLOW_AES_BLOCKS:
            raise Missing("masks and fingerprints were not recomputed: too many for AES in Python, install the package cryptography")
        challenge = h("fp-challenge", tr["t3"])
        weights = [[w & M61 for w in little("Q", stream(hkdf(challenge, tr["t3"], "fp-weights", bytes([s])), 8 * d))] for s in (0, 1)]
        tau = lambda vector: tuple(sum(map(int.__mul__, w, vector)) % M61 for w in weights)
        gone_inputs = [i for i in missing if f"{base}/inputs/{i}" not in self.parts and self.erased(job, entry.round, "erase-missing-inputs")]
        for i in missing:
            if i not in gone_inputs:
                taus[i] = tau(unpack(self.input(base, i, tr, m_bits, d), m_bits, d))
        # What was erased after a threshold had verified it rests on their Acks.
        if not gone_inputs:
            sums = tuple(sum(taus[i][s] for i in u3) % M61 for s in (0, 1))
            need(sums == tau(y), "result/fingerprint", "the fingerprints of the inputs do not add up to that of Y")

        x = list(y)
        for s in r["selves"]:
            mask = little("I", stream(hkdf(s["secret"], tr["t2"], "self-mask", u16(s["index"])), 4 * d))
            x = [a - b for a, b in zip(x, mask)]
        for s in r["masks"]:
            g = s["index"]
            for i in sorted(tr["near"][g] & {*u3}):
                shared = x25519(s["secret"], tr["masks"][i])
                mask = little("I", stream(hkdf(shared, tr["t2"], "pair-mask", u16(min(i, g)) + u16(max(i, g))), 4 * d))
                x = [a - b for a, b in zip(x, mask)] if g > i else [a + b for a, b in zip(x, mask)]
        half = 1 << m_bits - 1
        x = [((v + half) & (2 * half - 1)) - half for v in x]
        opened = struct.pack(f"<{d}i", *x)
        need(h("X", opened) == r["opened_hash"] and opened == self.part(base + "/opened"), "result/opened", "X is not what the openings give")
        self.count("coordinates", d)
        return x

    def input(self, base, i, tr, m_bits, d):
        data = self.part(f"{base}/inputs/{i}")
        need(len(data) == (m_bits * d + 7) // 8, "result/missing-input", f"input of index {i} has {len(data)} bytes")
        blocks = [data[at : at + (1 << 20)] for at in range(0, len(data), 1 << 20)]
        leaves = b"".join(h("y/leaf", struct.pack(">I", b) + block) for b, block in enumerate(blocks))
        root = h("y/root", struct.pack(">Q", len(data)) + leaves)
        need(root == tr["roots"][i], "result/missing-input", f"input of index {i} has another root than its signed header")
        return data

    # Check 10.

    def first_state(self, manifest, job):
        """(model hash baked into states, parameters, update state) of round 1, or None where this program cannot compute it."""
        if manifest["kind"] == 3:
            return None
        data = self.part(f"jobs/{job}/forward-model")
        need(sha(data) == manifest["forward"]["sha256"], "verify/first-model", "the forward model is not the one in the manifest")
        model = parse("Model", data)
        if model["functions"] or any(one["domain"] == "ai.onnx.ml" for one in model["opsets"]):
            raise Missing("no model is recomputed: the file has functions of its own or operators of ai.onnx.ml, which are rewritten")
        if manifest["standardise_by"]:
            model = standardised(model, *self.statistics_for(manifest))
            data = canonical("Model", model)
        floats = [t for t in model["graph"]["tensors"] if t["type"] == 1 and t["dims"] and not t["name"].startswith(STANDARDISE)]
        globs = lambda field: [re.compile(".*".join(map(re.escape, glob.split("*")))) for glob in manifest[field]]
        among = lambda t, patterns: any(p.fullmatch(t["name"]) for p in patterns)
        wanted, local = globs("train"), globs("local")
        chosen = [t for t in floats if (not wanted or among(t, wanted)) and not among(t, local)]
        values = [v for t in chosen for v in (little("f", t["raw"]) if t["raw"] else t["floats"])]
        state = (sha(data), values, b"")
        if h("model", state_bytes(state)) != manifest["initial"]:
            due = sum(s["length"] for s in manifest["layout"]["segments"] if s["name"] in ("delta", "running-statistics"))
            need(len(values) != due, "verify/first-model", "the manifest names another first model")
            raise Missing("the first model's state is not recomputed: its parameters are not just the float initializers in their order")
        self.models[job] = (model, chosen)
        self.count("models")
        return state

    def statistics_for(self, manifest):
        """Means and standard deviations that the manifest standardises by."""
        job = manifest["standardise_by"]["job_id"]
        if job not in self.statistics:
            raise Missing(f"the statistics of {job} are not known, and so no model")
        names = lambda m: [f["column"] for f in parse("Contract", m["contract"])["features"]]
        theirs = self.of("manifest", job)[0].message
        need(names(manifest) == names(theirs), "verify/statistics", f"{job} has statistics of other columns")
        return self.statistics[job]

    def judge(self, manifest, layout, closing, x, survivors, state, rotation):
        """Outcome and next state of §2.6. `rotation`: the key of the round's rotation."""
        values, at = {}, 0
        tail = manifest["noise"]["tail"] if manifest["noise"] else 0
        for s in layout:
            values[s["name"]], at = (x[at : at + s["length"]], s["real"]["scale"] if s["real"] else 1), at + s["length"]
            bound = (s["real"]["q_max"] if s["real"] else s["integer"]["max"]) + (tail if s["visibility"] == 3 else 0)
            bound += s["coarse_step"] if s["visibility"] == 2 else 0
            most = survivors * bound
            if self.rotated(manifest, s):
                most = survivors * s["real"]["q_max"] + math.ceil(math.sqrt(survivors) * tail)
            low = -most if s["real"] else 0
            if not all(low <= v <= most for v in values[s["name"]][0]):
                return 2, state
        if manifest["kind"] == 3:
            found = column_statistics(parse("Contract", manifest["contract"]), values, survivors)
            if found:
                self.statistics[manifest["job_id"]] = found
            return (1 if found else 2), state
        if manifest["kind"] == 2 or closing:
            return 1, state
        rule = parse("Rule", manifest["update_rule"])
        recipe = parse("Recipe", manifest["recipe"])
        known = {"delta", "running-statistics", "weight", "norm", "saturated"}
        strange = [name for name in values if name not in known and not name.startswith(("holdout.", "slice."))]
        if rule["fed_avg"] is None or recipe["fed_nova"] is not None or recipe["scaffold"] is not None or recipe["stopping"] is not None or strange:
            raise Missing("this program knows federated averaging without FedNova, SCAFFOLD and early stopping; outcome and next model are not recomputed")
        (weight,), scale = values["weight"]
        total = weight / scale
        if not (total > 0 and total >= manifest["acceptance"]["min_weight"]):
            return 2, state
        delta, scale = values["delta"]
        change = [v / scale for v in delta]
        if self.rotated(manifest, next(s for s in layout if s["name"] == "delta")):
            turn_back(change, rotation)
        mean = [v / total for v in change]
        norm = 0.0
        for v in mean:
            norm += v * v
        if not math.sqrt(norm) <= manifest["acceptance"]["max_mean_norm"]:
            return 2, state
        if state is None:
            raise Missing("the outcome holds; the next model is not recomputed, since the one before is not known")
        rate = rule["fed_avg"]["rate"]
        running, scale = values.get("running-statistics", ([], 1))
        steps = [rate * v for v in mean] + [v / scale / total for v in running]
        need(len(steps) == len(state[1]), "vector/bad-layout", f"{len(steps)} coordinates for {len(state[1])} parameters")
        return 1, (state[0], little("f", struct.pack(f"<{len(steps)}f", *(p + step for p, step in zip(state[1], steps)))), state[2])

    @staticmethod
    def rotated(manifest, segment):
        return bool(manifest["noise"] and manifest["noise"]["rotated"] and segment["visibility"] == 3 and segment["real"])

    # Check 11.

    def acks(self, base, manifest, plan, entry, outcome, model):
        label = "result" if entry.kind == "result" else "closing/abandon"
        terminal, full, disputes = h(label, entry.message["payload"]), set(), 0
        found = [e.bytes for kind in ("ack", "dispute") for e in self.of(kind, entry.job, entry.round)]
        found += frames(self.parts.get(base + "/reactions", b""), 4, "verify/ack")
        for data in dict.fromkeys(found):
            if parse("Envelope", data)["type"] == "dispute":
                disputes += self.open(data, "dispute", "Dispute")["result_hash"] == terminal
                continue
            ack = self.open(data, "ack", "Ack")
            silo = ack["signer"][len("silo/") :]
            need(silo in manifest["silos"], "verify/ack", f"an Ack of {ack['signer']}")
            need(ack["result_hash"] == terminal, "verify/ack", f"{silo} acknowledges another end of round {entry.round}")
            need((ack["outcome"], ack["model"]) == (outcome, model), "verify/ack", f"{silo} acknowledges another outcome or model")
            if ack["coverage"] == 1 and silo in plan["cohort"]:
                full.add(silo)
        self.count("acks", len(full))
        if entry.kind == "result" and len(full) < plan["t"]:
            raise Missing(f"verify/unconfirmed: {len(full)} of {plan['t']} members have acknowledged round {entry.round}")
        return len(full), disputes

    def run(self, pinned, previous):
        if self.try_("roster", self.roster, pinned) is None and self.findings + self.gaps:
            return
        self.name = self.try_("job", lambda: self.part("job").decode().strip())
        self.try_("log", self.read_log)
        first = [e for e in self.log if e.kind == "manifest" and e.job == self.name]
        if not first:
            strays = [e.where() for e in self.log if e.job == self.name]
            if strays:
                self.findings.append({"code": "verify/entry-order", "where": "log", "message": f"{strays[0]} is of a job without a manifest"})
            self.findings or self.gaps.append("log: no manifest of the job")
            return
        self.manifest = first[0].message
        if hasattr(self, "notes"):
            self.try_("log", self.times, previous)
        self.try_("log", self.once)
        self.try_("log", self.charges)
        for hello in self.of("hello"):
            if hello.message["checkpoint"]:
                self.try_(hello.where(), self.in_log, hello.message["checkpoint"], hello.where())
        source = self.manifest["standardise_by"]
        for job in ([source["job_id"]] if source else []) + [self.name]:
            self.job(job)
        if source:
            done = [h("result", e.message["payload"]) for e in self.of("result", source["job_id"])[:1]]
            if done != [source["result_hash"]]:
                self.findings.append({"code": "verify/first-model", "where": "manifest", "message": "standardise_by names another result"})

    def charges(self):
        """Check 13: each charge is that of the Ack before it, and counts rise."""
        due, newest, counts = None, {}, {}
        for e in self.log:
            charge, due = due, None
            if e.kind != "ledger-charge":
                need(charge is None, "verify/ledger", f"no charge stands before {e.where()}")
                if e.kind == "ack" and e.message["charge"]:
                    due = e
                continue
            same = charge and (charge.subject, charge.job, charge.round) == (e.subject, e.job, e.round)
            need(same and charge.message["charge"] == e.statement, "verify/ledger", f"{e.where()} is not what the Ack before it says")
            c = parse("Charge", e.statement)
            before = newest.get((e.subject, e.job))
            rises = before is None or before[0] == e.round or (before[0] < e.round and before[1] < c["rounds"])
            need(rises, "verify/ledger", f"{e.where()}: {c['rounds']} rounds after {before}")
            place = counts.setdefault((e.subject, c["data_set"], c["rounds"]), (e.job, e.round))
            need(place == (e.job, e.round), "verify/ledger", f"{e.where()} repeats a count")
            newest[e.subject, e.job] = (e.round, c["rounds"])
            self.count("charges")

    def erased(self, job, round_, action):
        """Whether the log says so; only a round that a threshold has verified may lose anything."""
        for e in self.of("erasure", job, round_):
            if parse("Action", e.statement)["action"] == action:
                return True
        return False

    def job(self, job):
        entries = self.of("manifest", job)
        if not entries:
            self.gaps.append(f"log: no manifest of {job}")
            return
        manifest, before = entries[0].message, entries[0]
        self.try_(before.where(), self.accepted, manifest, before.roster)
        self.try_(f"{job}, deadlines", self.deadlines, job, manifest["timeouts"])
        state = self.try_(f"{job}, first model", self.first_state, manifest, job)
        history = [(manifest["initial"], state)]
        previous, number = bytes(32), 1
        while self.of("plan", job, number):
            plan = self.of("plan", job, number)[0]
            where, base = f"{job}, round {number}", f"jobs/{job}/rounds/{number}"
            self.count("rounds")
            self.try_(where, self.plan, plan, manifest, number)
            self.try_(where, self.order, job, number, plan, before)
            if plan.message["previous"] != previous:
                previous = self.try_(where, self.rolled_back, job, manifest, plan, previous, history)
            model, state = history[-1]
            if plan.message["model"] != model:
                self.findings.append({"code": "plan/model-mismatch", "where": where, "message": "the plan starts from another model"})
            ends = [e for e in self.log if e.kind in ("result", "abandon") and (e.job, e.round) == (job, number)]
            if not ends:
                number += 1
                break
            before, line = ends[0], {"job": job, "round": number, "end": ends[0].kind}
            if before.kind == "result":
                closing = number > manifest["round_limit"]
                computed = self.try_(where, self.round, base, job, before, manifest, closing, state, line)
                model, state = before.message["model"], computed
                if state and h("model", state_bytes(state)) != model:
                    state = None
            previous = h("result" if before.kind == "result" else "closing/abandon", before.message["payload"])
            outcome = before.message.get("outcome", 0)
            line["acks"], line["disputes"] = self.try_(where, self.acks, base, manifest, plan.message, before, outcome, model) or (0, 0)
            history.append((model, state))
            self.rounds.append(line)
            number += 1
        strays = [e.where() for e in self.log if e.job == job and e.round >= number]
        if strays:
            self.findings.append({"code": "verify/entry-order", "where": job, "message": f"{strays[0]} belongs to a round without a plan"})
        if f"jobs/{job}/final-model" in self.parts:
            self.try_(f"{job}, final model", self.final_model, job, history[-1][1])

    def accepted(self, m, roster):
        """§2.2: what can be said of a manifest without reading its recipe."""
        bad = lambda condition, text: need(condition, "manifest/invalid", text)
        need(m["roster_hash"] == roster["hash"], "manifest/wrong-roster", "the manifest is of another roster")
        bad(m["signer"].startswith("operator/"), f"signed by {m['signer']}")
        bad(m["version"] == 1 and 1 <= m["kind"] <= 3 and 16 <= m["m"] <= 32 and m["timeouts"] is not None, "version, kind or modulus")
        bad(1 <= m["round_limit"] <= (100_000 if m["kind"] == 1 else 1), "round limit")
        silos = m["silos"]
        bad(silos == sorted(set(silos), key=str.encode) and len(silos) <= 200, "silos are not sorted, unique and at most 200")
        bad(all("silo/" + s in roster["keys"] for s in silos), "a silo is not in the roster")
        bad(3 <= m["min_cohort"] <= len(silos) and m["c"] <= len(silos), "min_cohort or max_malicious")

    def rolled_back(self, job, manifest, plan, previous, history):
        """§2.9: the hash that a vote put in place of the last end, with the model it named put behind the history."""
        votes = {}
        for e in self.of("rollback", job):
            v = e.message
            if e.index < plan.index and v["manifest_hash"] == h("manifest", manifest["payload"]) and v["silo_id"] in manifest["silos"]:
                votes.setdefault((v["after"], v["base_round"], v["base_model"]), set()).add(e.subject)
        for (after, base, model), voters in votes.items():
            goal = h("closing/rollback", after + struct.pack(">I", base) + model)
            if after == previous and goal == plan.message["previous"] and len(voters) >= 2 * len(manifest["silos"]) // 3 + 1:
                need(base < len(history) and history[base][0] == model, "vote/invalid", f"the vote names another model after round {base}")
                history[-1] = history[base]
                return goal
        raise Broken("plan/previous-result", "the plan does not follow from the end of the round before")

    def round(self, base, job, entry, manifest, closing, state, line):
        layout = (manifest["closing"] if closing else manifest["layout"])["segments"]
        d = sum(s["length"] for s in layout)
        need(1 <= d <= 100_000_000 and len(layout) <= 4096, "vector/bad-layout", f"{d} coordinates")
        tr = self.transcript(base, job, entry, manifest, d)
        line.update(attempt=entry.attempt, survivors=len(tr["u3"]), cohort=len(tr["cohort"]), outcome=entry.message["outcome"])
        x = self.result(base, job, entry, tr, manifest["m"], d)
        self.count("sums")
        if manifest["kind"] != 1 or closing or entry.message["outcome"] != 1:
            stays = self.of("plan", job, entry.round)[0].message["model"] == entry.message["model"]
            need(stays, "result/outcome", "the model changes where it has to stay")
        before = self.of("plan", job, entry.round)[0].message["model"]
        outcome, after = self.judge(manifest, layout, closing, x, len(tr["u3"]), state, h("rotation", job.encode() + before))
        need(outcome == entry.message["outcome"], "result/outcome", f"the outcome is {outcome}, the result says {entry.message['outcome']}")
        if manifest["kind"] != 3 and after is not None:
            need(h("model", state_bytes(after)) == entry.message["model"], "result/outcome", "the next model is another one")
            self.count("models")
        return after

    # Check 12.

    def final_model(self, job, state):
        if state is None:
            raise Missing("not compared: the last state is not known")
        model, chosen = self.models[job]
        if any(node["operator"] in ("Dropout", "BatchNormalization") for node in model["graph"]["nodes"]):
            raise Missing("not compared: operators that train otherwise than they predict")
        at = 0
        for t in chosen:
            size = math.prod(t["dims"])
            t.update(floats=[], raw=struct.pack(f"<{size}f", *state[1][at : at + size]))
            at += size
        same = canonical("Model", model) == self.part(f"jobs/{job}/final-model")
        need(same, "verify/final-model", "it is not the first model with the parameters of the last state")
        self.count("models")

    def verdict(self):
        word = "FAIL" if self.findings else "INCOMPLETE" if self.gaps else "PASS"
        return {"verdict": word, "findings": self.findings, "incomplete": self.gaps, "counts": self.counts, "rounds": self.rounds}


def regular(n, t, c, absent):
    """§2.10: degree, share threshold and absent; None where only the complete graph would do."""
    honest = n - absent - c
    for k in range(2, n - 1, 2):
        if absent > n - t or honest <= 0:
            return None
        s = max((k + c + 3) // 2, min(absent + c + 1, (absent + c) * (k + 1) // honest + 1))
        if s > k + 1 or k < absent + c + 1 or absent + c > max(s - 1, (honest * s - 1) // (k + 1)):
            continue
        tail = sum(math.comb(absent, x) * math.comb(n - absent, k + 1 - x) for x in range(k + 2 - s, min(absent, k + 1) + 1))
        if (n * tail) << 30 <= math.comb(n, k + 1):
            return k, s, absent
    return None


def dead_after(n, t, c, graph):
    """§2.4, §2.10: how many Aborts show that an attempt is over."""
    harmless = t - 1
    if graph:
        k, s, a = graph["degree"], graph["share_threshold"], graph["absent"]
        harmless = min(harmless, max(s - 1, ((n - a - c) * s - 1) // (k + 1)))
    return n - harmless + c


def neighbours(t1, n, graph):
    """Of each index, the set of those it shares a mask with."""
    if not graph:
        return [{*range(n)} - {i} for i in range(n)]
    ring = sorted(range(n), key=lambda i: h("graph", t1 + u16(i)))
    half = graph["degree"] // 2
    sides = {i: {ring[(at + step) % n] for step in range(-half, half + 1)} - {i} for at, i in enumerate(ring)}
    return [sides[i] for i in range(n)]


def pack_bitmap(members, n):
    return sum(1 << i for i in members).to_bytes((n + 7) // 8, "little")


def column_statistics(contract, values, n):
    """§2.6: mean and standard deviation of each column; None where the sums are not those of n silos with values in the declared ranges."""
    (rows,), features = values["rows"][0], contract["features"]
    first, second = ([v / values[name][1] for v in values[name][0]] for name in ("sum", "sum-of-squares"))
    if not 1 <= rows <= n * contract["max_rows"] or not len(first) == len(second) == len(features):
        return None
    rounding = min(n, 3 * math.sqrt(n)) / values["sum"][1] / rows
    means, deviations = [], []
    for f, a, b in zip(features, first, second):
        m, s = a / rows, b / rows
        variance = s - m * m
        if not (-rounding <= m <= 1 + rounding and -rounding <= s <= m + 2 * rounding and variance >= -3 * rounding):
            return None
        width = f["maximum"] - f["minimum"]
        means.append(f["minimum"] + width * m)
        deviations.append(width * math.sqrt(variance) if variance > 3 * rounding else 0.0)
    return means, deviations


STANDARDISE = "veilsum.standardise."


def standardised(model, means, deviations):
    """§2.2 First model: (x - mean) * inverse deviation in front of the model's input."""
    graph = model["graph"]
    tensors = {t["name"] for t in graph["tensors"]}
    name = next(v["name"] for v in graph["inputs"] if v["name"] not in tensors)
    inverse = [0.0 if s <= 1e-9 * max(1.0, abs(m)) else 1 / s for m, s in zip(means, deviations)]
    node = lambda operator, a, b, out: {
        **parse("Node", b""), "inputs": [a, STANDARDISE + b], "outputs": [STANDARDISE + out], "name": STANDARDISE + out, "operator": operator,
    }  # fmt: skip
    front = [node("Sub", name, "mean", "centred"), node("Mul", STANDARDISE + "centred", "inverse_std", "output")]
    behind = [{**n, "inputs": [STANDARDISE + "output" if i == name else i for i in n["inputs"]]} for n in graph["nodes"]]
    tensor = lambda name, values: {
        **parse("Tensor", b""), "dims": [len(values)], "type": 1, "name": STANDARDISE + name, "raw": struct.pack(f"<{len(values)}f", *values),
    }  # fmt: skip
    more = [tensor("mean", means), tensor("inverse_std", inverse)]
    return {**model, "graph": {**graph, "nodes": front + behind, "tensors": graph["tensors"] + more}}


def state_bytes(state):
    """§2.2 First model."""
    model, values, update = state
    head = b"veilsum-state-1\n" + model + struct.pack(">I", len(values))
    return head + struct.pack(f"<{len(values)}f", *values) + struct.pack(">I", len(update)) + update


def main():
    global FAST
    arguments = argparse.ArgumentParser(description="verify a bundle of `veilsum-audit export` without a network")
    arguments.add_argument("bundle")
    arguments.add_argument("--roster-hash", required=True, help="hash of the roster that every member has pinned")
    arguments.add_argument("--previous", help="checkpoint kept from an earlier day, with which this log must begin")
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--pure", action="store_true", help="do not use the package cryptography")
    options = arguments.parse_args()
    if not re.fullmatch("[0-9a-fA-F]{64}", options.roster_hash):
        arguments.error("--roster-hash has 64 hexadecimal digits")
    FAST = FAST and not options.pure
    read = lambda path: open(path, "rb").read()
    verifier = Verifier({})
    parts = verifier.try_(options.bundle, lambda: read_bundle(read(options.bundle)))
    if parts is not None:
        verifier.parts = parts
        verifier.run(bytes.fromhex(options.roster_hash), read(options.previous) if options.previous else None)
    verdict = verifier.verdict()
    if options.json:
        print(json.dumps(verdict, indent=2))
    else:
        for line in verdict["rounds"]:
            print("  ".join(f"{key} {value}" for key, value in line.items()))
        for finding in verdict["findings"]:
            print(f"{finding['code']}  {finding['where']}: {finding['message']}")
        for gap in verdict["incomplete"]:
            print(f"not checked  {gap}")
        print("  ".join(f"{what} {n}" for what, n in verdict["counts"].items()))
        print(verdict["verdict"])
    sys.exit(EXIT[verdict["verdict"]])


if __name__ == "__main__":
    main()
