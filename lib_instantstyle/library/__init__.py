"""Saved styles: what one keeps, how its file looks, and the folder they lie in.

May use torch and the rooms `params`, `pictures`, `method` and `models`.
"""
