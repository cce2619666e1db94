#!/usr/bin/env bash
# kombu 5.6.2 (Python), the messaging library of Celery: what it compresses with `compression='gzip'` is not gzip. Its bytes are
# zlib's format (RFC 1950, they begin with 78 9c), though the header `compression` that goes with them says
# `application/x-gzip`, so Python's own gzip module and gunzip refuse them; zlib takes them.
#
# Seen: application/x-gzip 789c / gzip: BadGzipFile / zlib: [1, 2]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python=$(command -v python3)
"$python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --target "$folder" kombu==5.6.2

seen=$(PYTHONPATH="$folder" "$python" - <<'PYTHON'
import gzip
import zlib
from kombu import compression

body, media_type = compression.compress(b'[1, 2]', 'gzip')
print(media_type, body[:2].hex())
try:
    gzip.decompress(body)
    print('gzip: taken')
except OSError as error:
    print('gzip:', type(error).__name__)
print('zlib:', zlib.decompress(body).decode())
PYTHON
)
echo "$seen"
[ "$seen" = $'application/x-gzip 789c\ngzip: BadGzipFile\nzlib: [1, 2]' ]
