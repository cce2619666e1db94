#!/usr/bin/env bash
# Rollup with inlineDynamicImports makes a bundle that fails of a program that runs: where a module awaits at its top level a function that
# imports another module dynamically, that one is put behind the await, and the import resolves to undefined. Nothing warns of it.
# Without the option, in chunks, the same program runs; so it does when esbuild or rolldown bundle it into one file.
#
# Seen: rollup 4.68.8 (npm), Node.js 20.20. Needs: node, npm.
#   unbundled: 42
#   in chunks: 42
#   inlined: TypeError: Cannot destructure property 'answer' of '(intermediate value)' as it is undefined.
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund rollup@4.68.8

cat >main.js <<'JS'
import { start } from './bus.js';
await start();
JS
cat >bus.js <<'JS'
export async function start() {
  const { answer } = await import('./lib.js');
  console.log(answer);
}
JS
echo 'export const answer = 42;' >lib.js

npx rollup main.js --silent --dir chunks
npx rollup main.js --silent --inlineDynamicImports --file inlined.js

expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
expect 'unbundled' '42' "$(node main.js)"
expect 'in chunks' '42' "$(node chunks/main.js)"
expect 'inlined' "TypeError: Cannot destructure property 'answer' of '(intermediate value)' as it is undefined." \
  "$(node inlined.js 2>&1 | grep '^TypeError' || true)"
