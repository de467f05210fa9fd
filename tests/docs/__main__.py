"""Rewrites what is generated in the documentation."""

from tests.docs import GENERATED, updated

if __name__ == "__main__":
    for page in GENERATED:
        page.write_text(updated(page), encoding="utf-8")
