"""The method inside a live UNet: its cross-attentions, the rows of its calls, and the hooks that add image terms.

May use torch and the rooms `params`, `pictures`, `method` and `models`; a host only hands over the module and explains
its calls.
"""
