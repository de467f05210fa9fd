"""The accordion on the WebUI's page: fields made from the controls, tabs made of fields, and the status line.

May import gradio and the host's ``modules`` for its widgets, and every room but `routes` and `forms`.
"""
