"""The parameters: every control, its values and the small languages of the text fields.

Imports the standard library only, so that the page, the API and the tests read parameters without loading torch.
"""
