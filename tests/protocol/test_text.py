"""A server's texts on their way to people."""

from __future__ import annotations

import json
import time

from hypothesis import given
from hypothesis import strategies as st

from comfy_widgets.protocol import MAX_TEXT, ExecutionError, Refusal, cut, parse_text, plain, plain_lines, printable

COLOURED = "\x1b[1;31mCUDA out of memory\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x1b\\ \x1bcdone"


def test_a_long_text_is_cut_with_a_mark_that_says_how_much() -> None:
    text = cut("begin" + "x" * 5_000_000 + "end")
    assert text.startswith("begin")
    assert text.endswith("end")
    assert "4,990,008 characters left out" in text
    assert len(text) < MAX_TEXT + 100


@given(st.text(max_size=60), st.integers(4, 40))
def test_what_is_short_enough_stays(text: str, limit: int) -> None:
    assert (cut(text, limit) == text) == (len(text) <= limit)


def test_colours_are_taken_out() -> None:
    assert plain(COLOURED) == "CUDA out of memory link done"
    assert plain("no codes") == "no codes"
    assert len(plain("\x1b[31mx" * 1_000_000)) < MAX_TEXT + 100


def test_half_codes_cost_no_time() -> None:
    start = time.thread_time()
    for code in ("\x1b[", "\x1b]", "\x1b[0;", "\x1bP", "\x1b "):
        plain(code * 500_000)
        plain(code + "0" * 1_000_000)
    assert time.thread_time() - start < 3


@given(st.text(st.characters() | st.sampled_from("\x00\x07\x08\r\x1b\x7f\x9b\u202e\u2066")))
def test_a_terminal_obeys_nothing_in_it(text: str) -> None:
    shown = printable(text)
    assert all(char.isprintable() or char in "\n\t" or ord(char) > 0x9F for char in shown)
    assert not set(shown) & set("\r\x1b\x07\x08\x9b\u202e\u2066")


def test_escapes_are_shown() -> None:
    assert printable("a\x1b[2Jb\tc\nd\u202e") == "a\\x1b[2Jb\tc\nd\\u202e"


@given(st.lists(st.text(max_size=30), max_size=30), st.integers(20, 200))
def test_long_tracebacks_keep_their_ends(lines: list[str], limit: int) -> None:
    kept = plain_lines(lines, limit)
    assert sum(map(len, kept)) < limit + 200 or len(kept) <= 3
    if (
        sum(map(len, lines)) <= limit
        and not any("\x1b" in line for line in lines)
        and max(map(len, lines), default=0) <= limit // 8
    ):
        assert list(kept) == lines


def test_errors_of_nodes_reach_people_bounded_and_without_colours() -> None:
    data = {
        "prompt_id": "a",
        "node_id": "3",
        "exception_type": "\x1b[31mError" + "x" * 5000,
        "exception_message": "\x1b[31mbegin" + "x" * 5_000_000 + "end\x1b[0m\n",
        "traceback": ["\x1b[32mFile" + "y" * 1_000_000, *(f"line {n}\n" for n in range(100_000)), "last"],
    }
    event = parse_text(json.dumps({"type": "execution_error", "data": data}))
    assert isinstance(event, ExecutionError)
    assert event.exception_message.startswith("begin")
    assert event.exception_message.endswith("end")
    assert "characters left out" in event.exception_message
    assert event.traceback[0].startswith("File")
    assert event.traceback[-1] == "last"
    assert any("lines left out" in line for line in event.traceback)
    whole = event.exception_type + event.exception_message + "".join(event.traceback)
    assert len(whole) < 70_000
    assert "\x1b" not in whole


def test_refusals_reach_people_bounded_and_without_colours() -> None:
    long = "\x1b[31m" + "x" * 500_000
    error = {"type": "invalid_prompt", "message": long, "details": long, "extra_info": {}}
    problem = {"type": "custom", "message": long, "details": long, "extra_info": {"input_name": long}}
    body = {"error": error, "node_errors": {"3": {"class_type": long, "errors": [problem]}}}
    refusal = Refusal.parse(body, 400)
    for text in (refusal.message, refusal.details, *(found.text for found in refusal.problems({}))):
        assert len(text) < 2 * MAX_TEXT
        assert "\x1b" not in text


def test_of_too_many_lines_it_is_said_how_many_are_missing() -> None:
    lines = [f"{number:02}" for number in range(100)]
    shown = plain_lines(lines, 20)
    (gap,) = [index for index, line in enumerate(shown) if "left out" in line]
    kept = len(shown) - 1
    assert shown[gap] == f"[{100 - kept} lines left out]"
    assert list(shown[:gap]) == lines[:gap]
    assert list(shown[gap + 1 :]) == lines[100 - (kept - gap) :]
