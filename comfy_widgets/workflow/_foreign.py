"""Settings that other programs write into their images: ``parameters`` of A1111, Forge, Fooocus and SwarmUI."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol import WorkflowError
from ._files import read_metadata
from ._param import Param, stem

_MAX_LEFT = 6
_MAX_VALUE = 40
_PAIR = re.compile(r'([A-Za-z][^:,"]{0,60}):\s*("(?:[^"\\]|\\.)*"|[^,]*)(?:,\s*|$)')
_SETTINGS = re.compile(r"^Steps: *\d", re.MULTILINE)
_NEGATIVE = re.compile(r"^(Negative prompt: *)", re.MULTILINE)
_LORA = re.compile(r"\s*<(?:lora|lyco|hypernet):([^<>:]{1,200})[^<>]{0,60}>")

# By their letters and digits alone: "CFG scale", "cfg_scale" and "cfgscale" are one.
_NAMES = {
    "prompt": "positive",
    "positiveprompt": "positive",
    "negativeprompt": "negative",
    "steps": "steps",
    "sampler": "sampler_name",
    "samplername": "sampler_name",
    "scheduletype": "scheduler",
    "scheduler": "scheduler",
    "cfgscale": "cfg",
    "guidancescale": "cfg",
    "distilledcfgscale": "guidance",
    "seed": "seed",
    "width": "width",
    "height": "height",
    "model": "ckpt_name",
    "basemodel": "ckpt_name",
    "denoisingstrength": "denoise",
}
_SAMPLERS = {
    "dpm2": "dpm_2",
    "dpm2_ancestral": "dpm_2_ancestral",
    "unipc": "uni_pc",
    "dpmpp_2s": "dpmpp_2s_ancestral",
}
_SCHEDULERS = {"uniform": "normal", "ddim": "ddim_uniform"}
_SUFFIXES = ("karras", "exponential", "sgm_uniform", "simple", "normal", "beta")
# Fingerprints and versions say nothing that a person would set.
_SILENT = re.compile(r"hash|version|rng|^user$|^date$|^generationtime$|^clipskip1$")


@dataclass(frozen=True)
class ForeignSettings:
    """What another program made an image with.

    Attributes
    ----------
    values : Mapping
        By the names that a workflow's parameters have for the same, such as ``"positive"`` and ``"sampler_name"``.
    others : tuple of str
        In words what has no such name, such as ``"Clip skip 2"``.
    """

    values: Mapping[str, Any]
    others: tuple[str, ...]

    def fit(self, params: Mapping[str, Param]) -> tuple[dict[str, Any], list[str]]:
        """Return the values that fit a workflow's parameters, and in words what could not be taken over.

        Parameters
        ----------
        params : Mapping
            Of the workflow, by name.
        """
        found: dict[str, Any] = {}
        left: list[str] = []
        for name, value in self.values.items():
            # Where one text is both, it is the prompt.
            wanted = name if name in params or name != "positive" else "prompt"
            param = params.get(wanted)
            try:
                if param is None:
                    raise WorkflowError("it has no field")
                found[wanted] = param.check(_choice(param, value))
            except WorkflowError:
                label = param.label if param is not None else _LABELS.get(name, name.replace("_", " ").capitalize())
                left.append(f"{label} {_short(value)}")
        left += self.others
        more = len(left) - _MAX_LEFT
        return found, [*left[:_MAX_LEFT], f"{more} more"] if more > 0 else left


_LABELS = {
    "sampler_name": "Sampler",
    "ckpt_name": "Model",
    "cfg": "CFG",
    "positive": "Prompt",
    "negative": "Negative prompt",
}


def read_settings(content: bytes) -> ForeignSettings | None:
    """Return the settings of another program in an image's file, None where there are none.

    Parameters
    ----------
    content : bytes
        A PNG, WebP, JPEG or AVIF file.

    Returns
    -------
    ForeignSettings or None
        Under the names that ComfyUI has for the same.

    Examples
    --------
    >>> import io
    >>> from PIL import Image, PngImagePlugin
    >>> texts = PngImagePlugin.PngInfo()
    >>> texts.add_text("parameters", "a fox\\nSteps: 7, Sampler: Euler a, CFG scale: 6.5")
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (8, 8)).save(file, "PNG", pnginfo=texts)
    >>> read_settings(file.getvalue()).values["sampler_name"]
    'euler_ancestral'
    """
    try:
        _, texts = read_metadata(io.BytesIO(content), "The file")
    except WorkflowError:
        return None
    text = texts.get("parameters", "").strip("\0 \t\r\n")
    pairs = _of_json(text) if text.startswith("{") else _of_text(text)
    return _settings(pairs) if pairs else None


def _of_json(text: str) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except ValueError:
        return {}
    held = read.get("sui_image_params", read) if isinstance(read, dict) else None
    if not isinstance(held, dict):
        return {}
    plain = (str, int, float)
    return {str(key): value for key, value in held.items() if isinstance(value, plain) and value != ""}


def _of_text(text: str) -> dict[str, Any]:
    *_, settings = [None, *_SETTINGS.finditer(text)]
    if settings is None:
        return {}
    prompts = text[: settings.start()]
    *_, negative = [None, *_NEGATIVE.finditer(prompts)]
    line = text[settings.start() :].partition("\n")[0]
    found: dict[str, Any] = {"prompt": prompts[: negative.start()] if negative else prompts}
    found["Negative prompt"] = prompts[negative.end() :] if negative else ""
    for key, value in _PAIR.findall(line):
        found[key.strip()] = value[1:-1].replace('\\"', '"') if value.startswith('"') else value.strip()
    return found


def _settings(pairs: Mapping[str, Any]) -> ForeignSettings:
    values: dict[str, Any] = {}
    others: list[str] = []
    # Then the strength is that of a second pass.
    has_second_pass = any(key.startswith("Hires") for key in pairs)
    for key, value in pairs.items():
        plain = re.sub(r"[^a-z0-9]", "", key.lower())
        name = _NAMES.get(plain)
        if plain == "size" and (size := re.fullmatch(r"(\d{1,6})x(\d{1,6})", str(value))):
            values["width"], values["height"] = size.groups()
        elif name is None or (name == "denoise" and has_second_pass):
            if not _SILENT.search(plain):
                others.append(f"{key} {_short(value)}")
        elif name == "sampler_name":
            values.update(_sampler(str(value)))
        elif name == "scheduler":
            word = _word(str(value))
            if word != "automatic":
                values[name] = _SCHEDULERS.get(word, word)
        elif name in ("positive", "negative"):
            values[name] = _LORA.sub("", str(value)).strip()
            others += [f"LoRA {lora}" for lora in _LORA.findall(str(value))]
        else:
            values[name] = value
    return ForeignSettings(values, tuple(others))


def _sampler(said: str) -> Iterator[tuple[str, str]]:
    """Yield the sampler that ComfyUI calls otherwise, and the schedule that older versions named with it."""
    word = _word(said)
    for suffix in _SUFFIXES:
        if word.endswith(f"_{suffix}"):
            word = word.removesuffix(f"_{suffix}")
            yield "scheduler", suffix
    word = re.sub(r"_a$", "_ancestral", word)
    yield "sampler_name", _SAMPLERS.get(word, word)


def _word(said: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", said.lower().replace("++", "pp")).strip("_")


def _choice(param: Param, value: Any) -> Any:
    """Return the choice that means the same: models are named without their folder and ending."""
    if param.kind != "choice" or not param.choices or value in param.choices:
        return value
    return next((choice for choice in param.choices if _model(choice) == _model(value)), value)


def _model(name: Any) -> str:
    return stem(re.split(r"[/\\]", str(name))[-1])


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"
