#!/usr/bin/env bash
# From Node.js 24 on, `readline` also ends a line at U+2028 and U+2029, which JSON allows inside its strings and `JSON.stringify` leaves as they
# are. A file of one JSON value a line, which earlier versions read back as it was written, falls apart in the middle of a text.
#
# Seen: Node.js 20.20.2 and 24.21.0 (npm package node). Needs: node, npm.
#   Node.js 20, lines: 1
#   Node.js 24, lines: 2
#   Node.js 24, lines, escaped: 1
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"

cat >lines.mjs <<'JS'
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
const json = JSON.stringify({ text: 'first\u2028second' });
const written = process.argv[2] === 'escaped' ? json.replace('\u2028', '\\u2028') : json;
let count = 0;
for await (const _line of createInterface({ input: Readable.from([`${written}\n`]) })) count += 1;
console.log(count);
JS

install() {
  mkdir "$1"
  echo '{ "private": true }' >"$1/package.json"
  # Its script fetches the binary of this platform, a package as well.
  (cd "$1" && npm install --silent --no-audit --no-fund --foreground-scripts "node@$2" >/dev/null)
}
install 20 20.20.2
install 24 24.21.0

lines() {
  "$1/node_modules/node/bin/node" lines.mjs "${2:-plain}"
}
expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
expect 'Node.js 20, lines' 1 "$(lines 20)"
expect 'Node.js 24, lines' 2 "$(lines 24)"
expect 'Node.js 24, lines, escaped' 1 "$(lines 24 escaped)"
