"""What must be there before a picture can be styled: settings, folders, models to fetch, and the preflight's facts.

May import the host's ``modules`` for its paths and options, and the rooms of the library that are no page.
"""
