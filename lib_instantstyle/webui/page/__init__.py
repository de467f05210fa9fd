"""The accordion on the page. The only package that knows gradio."""
