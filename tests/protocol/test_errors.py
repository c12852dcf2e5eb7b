"""The root of the exceptions: what they carry, and that they cross a process border."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from comfy_widgets.errors import ComfyError, WorkflowError
from comfy_widgets.protocol import File, Status


def test_an_error_of_a_workflow_says_where() -> None:
    error = WorkflowError("text", node_id="3", node_title="The sampler", class_type="KSampler", input_name="seed")
    again = pickle.loads(pickle.dumps(error))
    for found in (error, again):
        assert isinstance(found, ValueError)
        assert isinstance(found, ComfyError)
        assert str(found) == "text"
        assert (found.node_id, found.node_title, found.class_type, found.input_name) == (
            *("3", "The sampler", "KSampler", "seed"),
        )
    plain = WorkflowError("text")
    assert (plain.node_id, plain.node_title, plain.class_type, plain.input_name) == (None, None, None, None)


def test_values_of_the_protocol_are_frozen() -> None:
    for value, name in ((Status(), "sid"), (File("a.png"), "filename")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "other")


def test_what_only_describes_a_file_does_not_make_it_another_one() -> None:
    assert File("a.png", node_id="9", key="gifs", extra={"format": "image/png"}) == File("a.png")
    assert File("a.png", "x") != File("a.png")
    assert File("a.png", type="temp") != File("a.png")
