"""Forge's model side."""
