"""All targets by name."""

from tests.fuzz import files, infotexts, texts

TARGETS = {target.name: target for target in (*texts.TARGETS, *infotexts.TARGETS, *files.TARGETS)}
