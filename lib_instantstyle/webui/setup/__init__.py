"""What must be in place before a picture can be styled: settings, folders, models to fetch, and the preflight's facts.

May import the host's ``modules`` for its paths and options.
"""
