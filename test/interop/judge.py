"""The verdicts of the second verifier on many bundles, from one process.

Usage: judge.py ROSTER_HASH FILE...; prints one JSON array: of each file verdict and codes of its findings.
"""

import json
import sys

import verify


def judged(path, pinned):
    verifier = verify.Verifier({})
    with open(path, "rb") as file:
        data = file.read()
    parts = verifier.try_(path, lambda: verify.read_bundle(data))
    if parts is not None:
        verifier.parts = parts
        verifier.run(pinned, None)
    verdict = verifier.verdict()
    return {"verdict": verdict["verdict"], "codes": sorted({one["code"] for one in verdict["findings"]}), "gaps": verdict["incomplete"]}


print(json.dumps([judged(path, bytes.fromhex(sys.argv[1])) for path in sys.argv[2:]]))
