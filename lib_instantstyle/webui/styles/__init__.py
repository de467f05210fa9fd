"""Styles made ready for a job: from its pictures, or from the style library, to what acts in the UNet.

May use the core's rooms, the host and the encoding of pictures; knows nothing of sampling passes and infotexts.
"""
