"""Forge's text towers."""
