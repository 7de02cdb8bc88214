#!/bin/sh
# Print the first Python that really works: version managers leave shims that exist and fail.
for candidate in "$CF_PYTHON" python3.13 python3.12 python3.11 python3 \
    "$HOME"/.pyenv/versions/3.13.*/bin/python3 "$HOME"/.pyenv/versions/3.12.*/bin/python3 \
    "$HOME"/.pyenv/versions/3.11.*/bin/python3; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; then
        command -v "$candidate"
        exit 0
    fi
done
echo "No working Python 3.11, 3.12 or 3.13 with venv was found." >&2
echo "Debian: apt-get install python3 python3-venv. Or set CF_PYTHON to an interpreter." >&2
exit 1
