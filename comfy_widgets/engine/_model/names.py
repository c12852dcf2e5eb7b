"""The choices that the nodes offer; listed here so that telling them needs no numpy."""

from __future__ import annotations

CHECKPOINT_NAMES = ("procedural-scenes-64.safetensors",)
SAMPLER_NAMES = (
    "euler", "euler_ancestral", "heun", "dpm_2", "lms", "dpmpp_2s_ancestral", "dpmpp_2m", "dpmpp_2m_sde", "lcm", "ddim",
)  # fmt: skip
SCHEDULER_NAMES = ("simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "normal", "kl_optimal")
