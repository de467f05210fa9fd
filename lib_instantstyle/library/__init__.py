"""Saved styles: what they contain, their file format, and the folder that holds them.

May use torch and the rooms `params`, `pictures`, `method` and `models`.
"""
