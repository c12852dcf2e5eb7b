"""A million random frames through the parsers: none may raise. Run by hand; the tests take a few of them.

Half are random bytes, half are well-formed messages with bytes flipped, cut out or put in.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter

from comfy_widgets.protocol import Event, parse_binary, parse_text

SEEDS = [
    json.dumps({"type": "progress_state", "data": {"prompt_id": "a", "nodes": {"3": {"value": 1, "max": 4}}}}).encode(),
    json.dumps({"type": "executed", "data": {"node": "9", "output": {"images": [{"filename": "a.png"}]}}}).encode(),
    json.dumps(
        {"type": "execution_error", "data": {"prompt_id": "a", "traceback": ["x"], "current_inputs": []}}
    ).encode(),
    b"\x00\x00\x00\x04\x00\x00\x00\x0f" + b'{"node_id":"3"}' + b"\xff\xd8image",
    b"\x00\x00\x00\x03\x00\x00\x00\x01" + b"3some text",
]


def spoil(frame: bytes, luck: random.Random) -> bytes:
    """The frame with a few faults."""
    spoilt = bytearray(frame)
    for _ in range(luck.randrange(1, 6)):
        at = luck.randrange(len(spoilt) + 1)
        match luck.randrange(3):
            case 0:
                spoilt[at : at + 1] = luck.randbytes(1)
            case 1:
                del spoilt[at : at + luck.randrange(8)]
            case _:
                spoilt[at:at] = luck.randbytes(luck.randrange(4))
    return bytes(spoilt)


def main() -> int:
    """Parse them all and count what they became."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    luck, became = random.Random(1), Counter[str]()
    for number in range(count):
        frame = luck.randbytes(luck.randrange(80)) if number % 2 else spoil(luck.choice(SEEDS), luck)
        for event in (parse_text(frame), parse_binary(frame)):
            assert isinstance(event, Event)
            became[event.type] += 1
    print(f"{count} frames, read as text and as binary: none raised. They became {dict(became)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
