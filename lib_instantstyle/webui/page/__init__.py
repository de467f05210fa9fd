"""The accordion on the page. With the settings, all that knows gradio."""
