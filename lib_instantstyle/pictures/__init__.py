"""Pictures and masks as they come in: decoding, the square views that the encoder sees, and regions.

May use Pillow, numpy and torch, and `params` for what is wished.
"""
