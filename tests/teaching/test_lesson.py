"""A lesson: a prediction opens the run, and the answer stays in the notebook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_widgets import ComfyClient, ComfyError, ComfyPanel, Lesson, NoiseExplorer, Workflow
from comfy_widgets.errors import UnknownParam
from comfy_widgets.teaching import Question, _lesson, answers, choose, estimate, order, which_changed

from ..widgets.conftest import page_of

PATIENCE = 60


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    _lesson._given.clear()
    _lesson._shown.clear()


@pytest.fixture
def panel(client: ComfyClient, workflow: Workflow) -> ComfyPanel:
    return ComfyPanel(workflow, client)


def counting(**more: Any) -> Question:
    return choose("How many images?", ["one", "two"], answer=lambda result: len(result.images) - 1, **more)


def card_of(lesson: Lesson) -> Any:
    return page_of(lesson.box.children[0])


def test_run_opens_once_a_prediction_is_made(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting())
    assert lesson.box.children[1:] == (panel.form,)
    card = card_of(lesson)
    card.say("changed", name="answer", value=1)
    assert lesson.box.children[1:] == (panel.form, panel.controls, panel.stage)
    assert (card.state["_state"]["phase"], card.state["_state"]["answer"]) == ("try", 1)


def test_prediction_and_outcome_stand_side_by_side(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting(reason="The batch size is 1."), title="Batches", notes="Look at the form.")
    card = card_of(lesson)
    card.say("changed", name="answer", value=1)
    panel.run()
    answer = lesson.wait(PATIENCE)
    assert (answer["answer"], answer["right"], answer["correct"], answer["score"]) == ("two", "one", False, 0.0)
    assert answer["values"]["seed"] == 42 and answer["lesson"] == "Batches"
    state = card.state["_state"]
    assert (state["phase"], state["answer"], state["right"], state["correct"]) == ("answered", 1, 0, False)
    assert (state["reason"], state["notes"], state["results"]) == (
        "The batch size is 1.",
        ["Look at the form."],
        ["result0"],
    )
    assert any("result0" in message["names"] for message, _ in card.custom("pictures"))


def test_a_failed_run_and_one_before_the_prediction_answer_nothing(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting())
    panel.run().result(PATIENCE)
    with pytest.raises(TimeoutError, match=r"was not answered within 0\.1 s"):
        lesson.wait(0.1)
    lesson.predict("one")
    assert lesson.answer is None
    panel.run().result(PATIENCE)
    assert lesson.wait(PATIENCE)["correct"] is True


def test_a_result_from_before_the_prediction_that_is_told_late_answers_nothing(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting())
    result = panel.run().result(PATIENCE)
    lesson.predict("one")
    lesson._on_result({"new": result})
    assert lesson.answer is None
    result = panel.run().result(PATIENCE)
    lesson._on_result({"new": result})
    assert lesson.wait(PATIENCE)["correct"] is True


def test_once_more_asks_again_and_keeps_what_was_answered(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting())
    card = card_of(lesson)
    for prediction in (1, 0):
        card.say("changed", name="answer", value=prediction)
        panel.run().result(PATIENCE)
        lesson.wait(PATIENCE)
        card.say("changed", name="again", value=None)
        assert card.state["_state"]["phase"] == "predict" and lesson.box.children[1:] == (panel.form,)
    assert [answer["correct"] for answer in _lesson._given[lesson.title, "How many images?"]] == [False, True]


def test_another_widget_opens_and_is_checked_when_the_answer_is_wanted(image: Image.Image) -> None:
    explorer = NoiseExplorer(image)
    question = estimate("At which level is it gone?", 0, 4, answer=lambda widget: widget.sigma, tolerance=0.2)
    lesson = Lesson(explorer, predict=question, title="Noise")
    assert len(lesson.box.children) == 1
    card = card_of(lesson)
    card.say("changed", name="answer", value=1.1)
    assert lesson.box.children[1:] == (explorer,)
    explorer.sigma = 1.0
    card.say("changed", name="reveal", value=None)
    assert lesson.wait(PATIENCE)["score"] == 1.0
    assert card.state["_state"]["verdict"] == "Close: 1"


def test_python_can_do_what_a_click_does(image: Image.Image) -> None:
    lesson = Lesson(NoiseExplorer(image), predict=choose("Is it noisy?", ["yes", "no"], answer="no"))
    lesson.reveal()
    assert lesson.answer is None  # nothing was predicted yet
    lesson.predict("no")
    lesson.reveal()
    lesson.reveal()
    assert lesson.wait(PATIENCE)["correct"] is True and len(_lesson._given[lesson.title, "Is it noisy?"]) == 1
    lesson.begin_again()
    assert lesson.answer is None and len(lesson.box.children) == 1


@pytest.mark.parametrize("value", [None, "three", 7, -1, [0], {}, True, 1.5])
def test_what_is_no_answer_is_told_on_the_card(panel: ComfyPanel, value: Any) -> None:
    lesson = Lesson(panel, predict=counting())
    card = card_of(lesson)
    card.say("changed", name="answer", value=value)
    assert lesson.box.children[1:] == (panel.form,)
    assert "no answer" in card.state["_state"]["problem"]


def test_a_check_that_fails_is_told_on_the_card(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=choose("Which?", ["a", "b"], answer=lambda result: result.nothing))
    card = card_of(lesson)
    lesson.predict("a")
    panel.run().result(PATIENCE)
    card.wait_for(lambda: "could not check this. AttributeError" in card.state["_state"]["problem"])
    assert lesson.answer is None


def test_locked_fields_are_shown_and_cannot_be_changed_in_the_browser(panel: ComfyPanel) -> None:
    Lesson(panel, predict=counting(), lock={"seed": 7, "steps": 2})
    page = page_of(panel.form)
    locked = {field["name"] for field in page.state["_form"]["fields"] if field["locked"]}
    assert locked == {"seed", "steps"} and panel.params.seed == 7
    page.edit(seed="9", cfg=3.0)
    assert (panel.params.seed, panel.params.cfg) == (7, 3.0)
    panel.params.seed = 8
    assert page.state["_values"]["values"]["seed"] == "8"
    panel.form.lock()
    assert not any(field["locked"] for field in page.state["_form"]["fields"])


def test_a_locked_seed_stays_when_a_new_one_is_wanted_for_each_run(panel: ComfyPanel) -> None:
    panel.form.lock("seed")
    page = page_of(panel)
    # There is nothing to choose in the browser.
    assert page.state["_values"]["modes"] == {}
    page.edit(modes={"seed": "randomize"})
    assert panel.seed_modes == {"seed": "fixed"}
    panel.form.lock()
    assert page.state["_values"]["modes"] == {"seed": "fixed"}


def test_what_cannot_be_locked_is_told(panel: ComfyPanel, image: Image.Image) -> None:
    with pytest.raises(UnknownParam, match="sede"):
        Lesson(panel, predict=counting(), lock=["sede"])
    with pytest.raises(TypeError, match="names parameters of a panel"):
        Lesson(NoiseExplorer(image), predict=counting(), lock=["seed"])


# What stays in the notebook


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, dict[str, str]]]:
    """What is displayed: whether it takes the place of what was there, and what it is."""
    shown: list[tuple[bool, dict[str, str]]] = []

    def display(data: Any, **options: Any) -> None:
        if options.get("raw"):
            shown.append((options["update"], data))

    monkeypatch.setattr("IPython.display.display", display)
    return shown


def show(lesson: Lesson) -> None:
    lesson._ipython_display_()


def notebook(*texts: str) -> dict[str, Any]:
    outputs = [{"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}} for text in texts]
    return {"cells": [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": outputs}]}


def test_each_answer_is_one_line_of_json_in_the_output(
    panel: ComfyPanel, displayed: list[tuple[bool, dict[str, str]]]
) -> None:
    lesson = Lesson(panel, predict=counting(reason="Because <b>so</b>."))
    show(lesson)
    assert displayed == [(False, {"text/html": '<div class="comfy-widgets-record" hidden></div>', "text/plain": ""})]
    for prediction in ("two", "one"):
        lesson.predict(prediction)
        panel.run().result(PATIENCE)
        lesson.wait(PATIENCE)
    update, data = displayed[-1]
    lines = data["text/plain"].splitlines()
    assert update and len(lines) == 2
    assert [json.loads(line)["answer"] for line in lines] == ["two", "one"]
    assert "Predicted: two. It is: one." in data["text/html"] and "&lt;b&gt;so" in data["text/html"]
    assert "data:image/jpeg;base64," in data["text/html"] and len(data["text/html"]) < 40_000
    found = answers(notebook(data["text/plain"]))
    assert [(answer["correct"], answer["cell"]) for answer in found] == [(False, 1), (True, 1)]


def test_a_cell_that_is_run_again_still_has_the_answer(
    panel: ComfyPanel, displayed: list[tuple[bool, dict[str, str]]]
) -> None:
    first = Lesson(panel, predict=counting(), title="Batches")
    first.predict("one")
    panel.run().result(PATIENCE)
    first.wait(PATIENCE)
    first.close()
    again = Lesson(panel, predict=counting(), title="Batches")
    show(again)
    assert again.answer is not None and again.answer["correct"] is True
    state = card_of(again).state["_state"]
    assert (state["phase"], state["right"], state["results"]) == ("answered", 0, ["result0"])
    assert '"correct": true' in displayed[-1][1]["text/plain"]


def test_a_lesson_that_is_closed_hears_no_run(panel: ComfyPanel) -> None:
    lesson = Lesson(panel, predict=counting())
    lesson.predict("one")
    lesson.close()
    panel.run().result(PATIENCE)
    assert lesson.answer is None


def test_answers_are_read_from_a_file_as_notebooks_write_them(tmp_path: Path) -> None:
    line = '{"comfy_widgets_answer": 1, "lesson": "Seeds", "correct": true, "score": 1.0}'
    document = notebook(
        "nothing", f"before\n{line}\n", '{"comfy_widgets_answer": 1, broken', '["comfy_widgets_answer"]'
    )
    document["cells"][1]["outputs"][1]["data"]["text/plain"] = ["before\n", f"{line}\n"]
    document["cells"] += [7, {"outputs": 3}, {"cell_type": "code", "outputs": [None, {"data": 1}, {"text": line}]}]
    path = tmp_path / "done.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    assert answers(path) == [{"lesson": "Seeds", "correct": True, "score": 1.0, "cell": 1}]


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"cells": 3}', "[" * 100_000])
def test_a_file_that_is_no_notebook_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ComfyError, match=r"x\.ipynb' is no notebook"):
        answers(path)
    with pytest.raises(ComfyError, match="cannot be read"):
        answers(tmp_path / "missing.ipynb")


# The questions


def test_an_order_counts_what_stands_where_it_belongs() -> None:
    question = order("Fewest first", ["20", "1", "4", "8"], answer=lambda _: ["1", "4", "8", "20"])
    right = question.right_answer(None)
    assert right == ("1", "4", "8", "20")
    grade = question.grade(question.checked([1, 2, 0, 3]), right)
    assert (grade.correct, grade.score, grade.words) == (False, 0.5, "2 of 4 stand where they belong")
    assert question.grade(right, right).correct


def test_an_estimate_gets_a_score_for_being_near() -> None:
    question = estimate("How much?", 0, 10, answer=4, step=0.5, tolerance=1, unit="steps")
    grades = [question.grade(given, 4.0) for given in (4.0, 5.0, 6.0, 10.0)]
    assert [(grade.correct, grade.score) for grade in grades] == [(True, 1.0), (True, 1.0), (False, 0.9), (False, 0.5)]
    assert [grade.words for grade in grades[:3]] == ["Right: 4 steps", "Close: 4 steps", "Not quite: 4 steps"]


def test_which_parameter_changed_shows_both_images(panel: ComfyPanel, image: Image.Image) -> None:
    question = which_changed("Which?", image, image.rotate(180), ["seed", "cfg"], answer="cfg")
    lesson = Lesson(panel, predict=question)
    card = card_of(lesson)
    names = [name for message, _ in card.custom("pictures") for name in message["names"]]
    assert names == ["shown0", "shown1"]
    assert [one["label"] for one in card.state["_state"]["shown"]] == ["before", "after"]


def test_images_to_choose_from_reach_the_browser(panel: ComfyPanel, image: Image.Image) -> None:
    lesson = Lesson(panel, predict=choose("Which?", {"left": image, "right": image}, answer="left"))
    card = card_of(lesson)
    sent = len(card.custom("pictures"))
    card.say("hello")
    assert len(card.custom("pictures")) == 2 * sent
    assert [one["picture"] for one in card.state["_state"]["options"]] == ["option0", "option1"]


@pytest.mark.parametrize(
    "make",
    [
        lambda: choose("?", ["one"], answer="one"),
        lambda: choose("?", ["one", "one"], answer="one"),
        lambda: order("?", [], answer=[]),
        lambda: estimate("?", 1, 1, answer=1),
        lambda: estimate("?", 0, 1, answer=1, step=0),
        lambda: choose("?", ["a", "b"], answer="c").right_answer(None),
        lambda: order("?", ["a", "b"], answer=["a", "a"]).right_answer(None),
        lambda: estimate("?", 0, 1, answer=2).right_answer(None),
    ],
)
def test_a_question_that_is_none_is_told_to_who_writes_it(make: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"needs|no answer|no order"):
        make()


@pytest.mark.parametrize("value", [None, "x", [], {}, float("nan"), 10**400, "\ud83d", -1, 9])
def test_what_is_no_answer_is_a_value_error(value: Any) -> None:
    for question in (
        choose("?", ["a", "b"], answer="a"),
        order("?", ["a", "b"], answer=["a", "b"]),
        estimate("?", 0, 5, answer=1),
    ):
        with pytest.raises(ValueError, match=r"is no (answer|order)"):
            question.checked(value)


def test_answers_may_be_numbers_of_numpy() -> None:
    numpy = pytest.importorskip("numpy")
    question = choose("Which is brightest?", ["a", "b"], answer=lambda _: numpy.argmax([1, 2]))
    assert question.right_answer(None) == "b"
    assert order("?", ["a", "b"], answer=numpy.array([1, 0])).right_answer(None) == ("b", "a")
    assert estimate("?", 0, 5, answer=numpy.float32(2)).right_answer(None) == 2.0


def test_what_makes_no_lesson_is_told(image: Image.Image) -> None:
    explorer = NoiseExplorer(image)
    with pytest.raises(TypeError, match="not a str"):
        Lesson("panel", predict=counting())
    with pytest.raises(TypeError, match="must be a question"):
        Lesson(explorer, predict="Which?")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be a PIL image"):
        choose("?", {"a": 1, "b": 2}, answer="a")  # type: ignore[dict-item]
    with pytest.raises(TypeError, match="after is None, but must be a PIL image"):
        which_changed("?", image, None, ["a", "b"], answer="a")  # type: ignore[arg-type]
    for options in (None, 5, "ab"):
        with pytest.raises(ValueError, match="two options at least"):
            choose("?", options, answer="a")  # type: ignore[arg-type]


def test_one_name_locks_one_field(panel: ComfyPanel) -> None:
    Lesson(panel, predict=counting(), lock="seed")
    locked = [field["name"] for field in page_of(panel).state["_form"]["fields"] if field["locked"]]
    assert locked == ["seed"]


def test_half_an_emoji_in_a_lesson_can_be_sent(image: Image.Image) -> None:
    half = "half \ud83d"
    question = choose(half, [half, "b"], answer=0, reason=half)
    lesson = Lesson(NoiseExplorer(image), predict=question, title=half, notes=half)
    lesson.predict(0)
    lesson.reveal()
    for sent in card_of(lesson).sent:
        json.dumps(sent.data, ensure_ascii=False, allow_nan=False).encode()
    assert lesson.wait(PATIENCE)["lesson"] == half
