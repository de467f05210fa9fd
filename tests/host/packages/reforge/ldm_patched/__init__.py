"""The model side of reForge and Classic."""
