"""Drawings for the page as SVG and HTML text: strength curves, the content meter, the map of blocks.

Pure text, neither gradio nor the host: the colours are in ``style.css``, dragging is in ``javascript/instantstyle.js``.
"""
