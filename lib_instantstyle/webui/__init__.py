"""The only package that may import the host's ``modules`` or ``gradio``."""
