"""The README's demonstration: `bash demo.sh` or `python -m tests.demo`."""
