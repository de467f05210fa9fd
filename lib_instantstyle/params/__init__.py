"""What is wished: every control, its values and the small languages of its text fields.

Knows the standard library only, so that a page, a route or a test reads parameters without loading torch.
"""
