"""The model code of the stand-in, under the names that the real host's model library uses."""
