"""What must be in place before a picture can be styled: settings, folders, and models to fetch.

May import the host's ``modules`` for its paths and options.
"""
