# Sourced by demo.sh and test.sh: makes an environment with the pinned packages once, and sets PYTHON to its interpreter.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '\n== %s\n' "$*"; }

# The newest Python 3 from minor version $1 to $2.
find_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.11 python3.10 python3 python; do
        if "$candidate" -c "import sys; sys.exit(not (3, $1) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# .venv has AUTOMATIC1111's pins, which install on Python 3.10 and 3.11 only. Elsewhere .venv-new takes its place.
make_environment() {
    if find_python 10 11 > /dev/null; then
        make_venv .venv requirements.txt "$(find_python 10 11)"
    else
        make_new_environment
    fi
}

# .venv-new has the Forge family's gradio 4, and what is newest.
make_new_environment() {
    local python
    python=$(find_python 10 13) || { echo "Python 3.10, 3.11, 3.12 or 3.13 is needed." >&2; exit 1; }
    make_venv .venv-new requirements-new.txt "$python"
}

make_venv() {  # FOLDER LIST PYTHON
    local stamp
    stamp=$(cat "tests/$2" tests/requirements-tools.txt | cksum)
    PYTHON=$PWD/$1/bin/python
    if [ "$(cat "$1/installed" 2>/dev/null)" != "$stamp" ]; then
        say "Installing the test environment into $1 (once)"
        "$3" -m venv "$1" || { echo "Could not make $1; on Debian install python3-venv." >&2; exit 1; }
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-compile -r "tests/$2" || exit 1
        echo "$stamp" > "$1/installed"
    fi
    # Nothing is fetched at run time, and tiny tensors gain nothing from threads.
    export GRADIO_ANALYTICS_ENABLED=False HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 OMP_NUM_THREADS=1
}

find_chromium() {
    local name
    for name in "${CHROMIUM:-chromium}" chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

need_chromium() {
    find_chromium > /dev/null && return
    say "Installing Chromium for the browser tests"
    if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium > /dev/null
    fi
    find_chromium > /dev/null || { echo "The browser tests need Chromium: install it and run again." >&2; return 1; }
}
