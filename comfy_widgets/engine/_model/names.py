"""The choices that the nodes offer; listed here so that telling them needs no numpy."""

from __future__ import annotations

CHECKPOINT_NAMES = ("procedural-scenes-64.safetensors",)
SAMPLER_NAMES = (
    "euler", "euler_ancestral", "heun", "dpm_2", "lms", "dpmpp_2s_ancestral", "dpmpp_2m", "dpmpp_2m_sde", "lcm", "ddim",
)  # fmt: skip
SCHEDULER_NAMES = (
    "simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta", "normal", "linear_quadratic",
    "kl_optimal",
)  # fmt: skip
LORAS = {
    "autumn-light.safetensors": "orange trees, sunset",
    "balloon-festival.safetensors": "balloons in the sky, morning",
    "northern-winter.safetensors": "snow, snowfall, pines",
    "starry-night.safetensors": "night, lake",
}
"""Name -> what a LoRA leans towards."""
LORA_NAMES = tuple(LORAS)
PREVIEW_METHODS = ("none", "auto", "latent2rgb", "taesd")
"""ComfyUI's names; all but none do the same here."""
