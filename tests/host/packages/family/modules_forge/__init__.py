"""By this package extensions know the Forge family."""
