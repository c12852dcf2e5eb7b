"""The choices that the nodes offer; listed here so that telling them needs no numpy."""

from __future__ import annotations

CHECKPOINT_NAMES = (
    "procedural-scenes-64.safetensors", "procedural-scenes-ink-64.safetensors",
    "procedural-scenes-poster-64.safetensors", "procedural-scenes-inpaint-64.safetensors",
)  # fmt: skip
DIGIT_CHECKPOINTS = ("digits-exact-8.safetensors", "digits-learned-8.safetensors")
"""Offered where scikit-learn is installed."""
SAMPLER_NAMES = (
    "euler", "euler_cfg_pp", "euler_ancestral", "euler_ancestral_cfg_pp", "heun", "heunpp2", "exp_heun_2_x0",
    "exp_heun_2_x0_sde", "dpm_2", "dpm_2_ancestral", "lms", "dpm_fast", "dpm_adaptive", "dpmpp_2s_ancestral",
    "dpmpp_2s_ancestral_cfg_pp", "dpmpp_sde", "dpmpp_sde_gpu", "dpmpp_2m", "dpmpp_2m_cfg_pp", "dpmpp_2m_sde",
    "dpmpp_2m_sde_gpu", "dpmpp_2m_sde_heun", "dpmpp_2m_sde_heun_gpu", "dpmpp_3m_sde", "dpmpp_3m_sde_gpu", "ddpm",
    "lcm", "ipndm", "ipndm_v", "deis", "res_multistep", "res_multistep_cfg_pp", "res_multistep_ancestral",
    "res_multistep_ancestral_cfg_pp", "gradient_estimation", "gradient_estimation_cfg_pp", "er_sde", "seeds_2",
    "seeds_3", "sa_solver", "sa_solver_pece", "ddim", "uni_pc", "uni_pc_bh2",
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
