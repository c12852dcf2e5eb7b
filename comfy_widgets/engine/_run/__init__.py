"""From a posted prompt to its results: validation, queue, cache and execution."""
