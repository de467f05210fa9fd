"""The names that extensions import from the real host, with the same behaviour as far as they can tell."""
