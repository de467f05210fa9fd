#!/usr/bin/env bash
# A styled contact sheet through the API of the stand-in WebUI. With --serve the page stays open afterwards.
set -u
source "$(dirname "$0")/tests/environment.sh"
make_environment
exec "$PYTHON" -m tests.demo "$@"
