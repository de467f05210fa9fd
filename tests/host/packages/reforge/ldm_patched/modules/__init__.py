"""Its modules."""
