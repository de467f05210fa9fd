"""Forge's memory manager, as far as extensions ask it for room."""

from modules.forge_memory import free_memory, get_free_memory, minimum_inference_memory

__all__ = ["free_memory", "get_free_memory", "minimum_inference_memory"]
