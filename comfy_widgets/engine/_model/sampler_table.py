"""All samplers by name."""

from __future__ import annotations

from . import adams, dpm_solver, guidance, multistep, samplers, stochastic
from .samplers import Sampler

SAMPLERS: dict[str, Sampler] = {
    "euler": samplers.euler,
    "euler_cfg_pp": guidance.euler_cfg_pp,
    "euler_ancestral": samplers.euler_ancestral,
    "euler_ancestral_cfg_pp": guidance.euler_ancestral_cfg_pp,
    "heun": samplers.heun,
    "heunpp2": multistep.heunpp2,
    "exp_heun_2_x0": multistep.exp_heun_2_x0,
    "exp_heun_2_x0_sde": stochastic.exp_heun_2_x0_sde,
    "dpm_2": samplers.dpm_2,
    "dpm_2_ancestral": stochastic.dpm_2_ancestral,
    "lms": samplers.lms,
    "dpm_fast": dpm_solver.dpm_fast,
    "dpm_adaptive": dpm_solver.dpm_adaptive,
    "dpmpp_2s_ancestral": samplers.dpmpp_2s_ancestral,
    "dpmpp_2s_ancestral_cfg_pp": guidance.dpmpp_2s_ancestral_cfg_pp,
    "dpmpp_sde": stochastic.dpmpp_sde,
    "dpmpp_sde_gpu": stochastic.dpmpp_sde,  # there the noise is drawn on the GPU, of which there is none here
    "dpmpp_2m": samplers.dpmpp_2m,
    "dpmpp_2m_cfg_pp": guidance.dpmpp_2m_cfg_pp,
    "dpmpp_2m_sde": samplers.dpmpp_2m_sde,
    "dpmpp_2m_sde_gpu": samplers.dpmpp_2m_sde,
    "dpmpp_2m_sde_heun": stochastic.dpmpp_2m_sde_heun,
    "dpmpp_2m_sde_heun_gpu": stochastic.dpmpp_2m_sde_heun,
    "dpmpp_3m_sde": stochastic.dpmpp_3m_sde,
    "dpmpp_3m_sde_gpu": stochastic.dpmpp_3m_sde,
    "ddpm": samplers.euler_ancestral,  # in these variables the posterior of Ho et al. 2020 is an ancestral Euler step
    "lcm": samplers.lcm,
    "ipndm": multistep.ipndm,
    "ipndm_v": multistep.ipndm_v,
    "deis": multistep.deis,
    "res_multistep": multistep.res_multistep,
    "res_multistep_cfg_pp": guidance.res_multistep_cfg_pp,
    "res_multistep_ancestral": multistep.res_multistep_ancestral,
    "res_multistep_ancestral_cfg_pp": guidance.res_multistep_ancestral_cfg_pp,
    "gradient_estimation": multistep.gradient_estimation,
    "gradient_estimation_cfg_pp": guidance.gradient_estimation_cfg_pp,
    "er_sde": stochastic.er_sde,
    "seeds_2": stochastic.seeds_2,
    "seeds_3": stochastic.seeds_3,
    "sa_solver": adams.sa_solver,
    "sa_solver_pece": adams.sa_solver_pece,
    "ddim": samplers.euler,  # without added noise it is Euler's method (Karras et al. 2022, appendix C.2)
    "uni_pc": multistep.uni_pc,
    "uni_pc_bh2": multistep.uni_pc_bh2,
}
"""Name -> sampler, in ComfyUI's order."""
