"""The checkpoints of digits: one that remembers, one that has learned."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from .wire import run, text_to_image, view

pytest.importorskip("sklearn", reason="the images of the digits come with scikit-learn")

EXACT, LEARNED = "digits-exact-8.safetensors", "digits-learned-8.safetensors"
SEEDS = 4


def prompt(name: str, text: str, *, negative: str = "", size: int = 512, **inputs: Any) -> dict[str, Any]:
    sampler = {"steps": 20, "cfg": 1.5, "sampler_name": "dpmpp_2m", "scheduler": "karras", **inputs}
    graph = text_to_image(text=text, negative=negative, size=size, **sampler)
    graph["4"]["inputs"]["ckpt_name"] = name
    return graph


def images(url: str, graph: dict[str, Any]) -> list[Any]:
    """The images of a run, grey, 0 to 1, reduced to the digit's own 8 x 8 pixels."""
    entry = run(url, graph)
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    found = [Image.open(io.BytesIO(view(url, item))).convert("L") for item in entry["outputs"]["9"]["images"]]
    return [np.asarray(image.resize((8, 8), Image.Resampling.BOX), np.float32) / 255 for image in found]


def sevens(url: str, name: str, **inputs: Any) -> list[Any]:
    return [images(url, prompt(name, "a seven", seed=seed, **inputs))[0] for seed in range(SEEDS)]


@pytest.fixture(scope="module")
def stored() -> tuple[Any, Any]:
    from sklearn.datasets import load_digits

    found, labels = load_digits(return_X_y=True)
    return found.reshape(-1, 8, 8) / 16, labels


def nearest(image: Any, stored: Any) -> tuple[int, float]:
    away = np.sqrt(((stored[0] - image) ** 2).mean(axis=(1, 2)))
    return int(away.argmin()), float(away.min())


@pytest.fixture(scope="module")
def recognize(stored: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=300).fit(stored[0].reshape(-1, 64), stored[1])
    return lambda found: model.predict(np.reshape(found, (-1, 64))).tolist()


def test_the_exact_one_gives_stored_digits_back(url: str, stored: Any) -> None:
    for image in sevens(url, EXACT):
        number, away = nearest(image, stored)
        assert away < 0.01
        assert stored[1][number] == 7


def test_the_learned_one_makes_new_digits_of_the_kind_asked_for(url: str, stored: Any, recognize: Any) -> None:
    made = [images(url, prompt(LEARNED, str(digit), seed=seed))[0] for digit in range(10) for seed in range(SEEDS)]
    asked = [digit for digit in range(10) for _ in range(SEEDS)]
    right = sum(one == other for one, other in zip(recognize(made), asked, strict=True))
    assert right >= 0.8 * len(asked)
    assert sorted(nearest(image, stored)[1] for image in made)[len(made) // 10] > 0.05


def test_both_begin_alike_from_one_seed(url: str) -> None:
    exact, learned = sevens(url, EXACT, steps=1), sevens(url, LEARNED, steps=1)
    same = [np.sqrt(((one - other) ** 2).mean()) for one, other in zip(exact, learned, strict=True)]
    assert max(same) < 0.15


@pytest.mark.parametrize("name", [EXACT, LEARNED])
def test_a_digit_is_drawn_at_any_size(url: str, recognize: Any, name: str) -> None:
    found = [images(url, prompt(name, "three", seed=seed, size=64 * 2**seed))[0] for seed in range(SEEDS)]
    assert recognize(found).count(3) >= SEEDS - 1


def test_what_is_not_a_square_is_black_at_its_sides(url: str) -> None:
    graph = prompt(EXACT, "three", seed=1, size=64)
    graph["5"]["inputs"]["width"] = 128
    entry = run(url, graph)
    wide = np.asarray(Image.open(io.BytesIO(view(url, entry["outputs"]["9"]["images"][0]))).convert("L"))
    assert wide.shape == (64, 128)
    assert wide[:, :24].max() < 10 and wide[:, -24:].max() < 10
    assert wide[:, 32:96].max() > 200


def test_the_exact_image_of_a_seed_is_the_same_everywhere(url: str, stored: Any) -> None:
    # The numbers of the stored images, as one machine found them.
    found = [nearest(images(url, prompt(EXACT, str(digit), seed=digit))[0], stored)[0] for digit in range(10)]
    assert found == [656, 1485, 1780, 189, 1638, 135, 1734, 300, 332, 159]


@pytest.mark.parametrize("text", ["eine Sieben", "7", "siete", "un sept", "\u4e03", "a number seven, cat"])
def test_words_of_several_languages_name_a_digit(url: str, text: str) -> None:
    same = images(url, prompt(EXACT, text, seed=5))[0]
    assert np.abs(same - images(url, prompt(EXACT, "seven", seed=5))[0]).max() == 0


def test_two_digits_share_and_a_weight_of_0_takes_one_back(url: str, stored: Any) -> None:
    both = [nearest(images(url, prompt(EXACT, "0 or 1", seed=seed, cfg=1))[0], stored)[0] for seed in range(12)]
    assert {int(stored[1][number]) for number in both} == {0, 1}
    taken = [images(url, prompt(EXACT, text, seed=5))[0] for text in ("(7:0) 1", "1")]
    assert np.abs(taken[0] - taken[1]).max() == 0


@pytest.mark.parametrize("name", [EXACT, LEARNED])
def test_unknown_words_are_told(url: str, name: str) -> None:
    entry = run(url, prompt(name, "a seven and a cat", seed=1))
    assert entry["outputs"]["6"]["text"] == [
        'This small model knows the digits 0 to 9 alone, and not "cat". Such words change nothing.'
    ]


def test_a_lora_says_that_it_changes_nothing(url: str) -> None:
    graph = prompt(EXACT, "seven", seed=5)
    plain = images(url, graph)[0]
    inputs = {"model": ["4", 0], "lora_name": "starry-night.safetensors", "strength_model": 1.0}
    graph["10"] = {"class_type": "LoraLoaderModelOnly", "inputs": inputs}
    graph["3"]["inputs"]["model"] = ["10", 0]
    assert np.abs(images(url, graph)[0] - plain).max() == 0
    (text,) = run(url, graph)["outputs"]["10"]["text"]
    assert "changes nothing in digits-exact-8" in text


def test_an_image_too_small_for_a_digit_is_refused_in_words(url: str) -> None:
    kind, data = run(url, prompt(EXACT, "7", seed=1, size=32))["status"]["messages"][-1]
    assert kind == "execution_error"
    assert "at least 64 x 64 pixels" in data["exception_message"]


def test_a_given_digit_is_kept_at_little_noise_and_changed_at_much(url: str, recognize: Any) -> None:
    def changed(denoise: float) -> Any:
        graph = prompt(EXACT, "three", seed=3, denoise=denoise)
        first = prompt(EXACT, "eight", seed=3)
        graph |= {f"{key}0": value for key, value in first.items() if key != "9"}
        for node in first.values():
            for key, value in node["inputs"].items():
                if isinstance(value, list):
                    node["inputs"][key] = [f"{value[0]}0", value[1]]
        graph["3"]["inputs"]["latent_image"] = ["30", 0]
        return images(url, graph)[0]

    assert recognize([changed(0.05), changed(1.0)]) == [8, 3]


class TestTraining:
    def test_the_network_is_kept_and_a_broken_file_is_made_anew(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from comfy_widgets.engine._model import learned_digits

        monkeypatch.setattr(learned_digits, "user_cache_path", lambda *_, **__: tmp_path / "cache")
        monkeypatch.setattr(learned_digits, "_STEPS", 3)

        def fresh() -> tuple[Any, list[tuple[int, int]]]:
            monkeypatch.setattr(learned_digits, "_network", [])
            told: list[tuple[int, int]] = []
            return learned_digits.network(lambda *step: told.append(step)), told

        trained, told = fresh()
        assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
        again, told = fresh()
        assert told == []
        (file,) = (tmp_path / "cache").iterdir()
        for content in (b"", file.read_bytes()[:-1000], b"PK\x03\x04 and nothing"):
            file.write_bytes(content)
            mended, told = fresh()
            assert told
            for one, other, third in zip(trained.weights, again.weights, mended.weights, strict=True):
                assert np.array_equal(one, other)
                assert np.allclose(one, third, atol=1e-5)

    def test_what_stops_the_training_leaves_nothing_behind(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from comfy_widgets.engine._model import learned_digits

        monkeypatch.setattr(learned_digits, "user_cache_path", lambda *_, **__: tmp_path / "cache")
        monkeypatch.setattr(learned_digits, "_network", [])

        def stop(done: int, steps: int) -> None:
            if done == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            learned_digits.network(stop)
        assert not list(tmp_path.iterdir())

    def test_its_gradients_are_those_of_its_error(self) -> None:
        from comfy_widgets.engine._model import learned_digits as room

        weights = [each.astype(np.float64) for each in room._first_weights()]
        random = np.random.default_rng(1)
        inputs, wanted = random.standard_normal((5, len(weights[0]))), random.standard_normal((5, 64))

        def error() -> float:
            return float(((room._forward(weights, inputs)[0] - wanted) ** 2).sum())

        output, seen = room._forward(weights, inputs)
        gradients = room._backward(weights, seen, 2 * (output - wanted))
        for weight, gradient in zip(weights, gradients, strict=True):
            place = tuple(random.integers(0, size) for size in weight.shape)
            before = weight[place]
            weight[place] = before + 1e-5
            above = error()
            weight[place] = before - 1e-5
            below = error()
            weight[place] = before
            assert gradient[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-6)
