"""Our entries in forms of the WebUI's own: the axes of the X/Y/Z plot, and the cards and tags of extra networks.

May import the host's ``modules``, and every room but `page` and `routes`.
"""
