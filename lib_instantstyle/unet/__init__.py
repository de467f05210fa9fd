"""The method inside a live UNet: its cross-attentions, the rows of its calls, and the hooks that add image terms.

May use torch and every room below it; knows no host, which only hands over a module and explains its calls.
"""
