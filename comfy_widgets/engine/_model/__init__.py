"""The generative model: scenes, their exact denoiser, and the samplers that use it."""
