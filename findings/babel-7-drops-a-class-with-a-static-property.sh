#!/usr/bin/env bash
# Babel 7 drops a class that has a standard decorator and a static property, if TypeScript's preset runs in the same pass: the decorators'
# plugin puts the class into the computed key of a field without a value, and the preset takes such a field for a type and removes it.
# Nothing warns of it; the output fails when it is run. It doesn't with `allowDeclareFields: true`, which Babel 8 has always.
#
# Seen: @babel/core 7.29.13, with @babel/plugin-proposal-decorators and @babel/preset-typescript 7.29.7; 8.1.3 with 8.0.2 and 8.0.7. Node.js
# 20.20. Needs: node, npm.
#   without TypeScript: 1
#   Babel 7: TypeError: _initClass is not a function
#   Babel 7, allowDeclareFields: 1
#   Babel 8: 1
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"

cat >class.ts <<'TS'
const kept = () => {};
@kept
class Kept {
  static count = 1;
}
console.log(Kept.count);
TS
cat >compile.mjs <<'JS'
import { transformFileSync } from '@babel/core';
const presets = JSON.parse(process.argv[2]);
const plugins = [['@babel/plugin-proposal-decorators', { version: '2023-11' }]];
console.log(transformFileSync('class.ts', { configFile: false, presets, plugins }).code);
JS

install() {
  mkdir "$1"
  echo '{ "private": true, "type": "module" }' >"$1/package.json"
  cp class.ts compile.mjs "$1"
  (cd "$1" && npm install --silent --no-audit --no-fund \
    "@babel/core@$2" "@babel/plugin-proposal-decorators@$3" "@babel/preset-typescript@$4")
}
install babel-7 7.29.13 7.29.7 7.29.7
install babel-8 8.1.3 8.0.2 8.0.7

# BABEL PRESETS: what the class does, compiled by that Babel with these presets.
run() {
  (cd "$1" && node compile.mjs "$2" >compiled.js && (node compiled.js 2>&1 || true) | grep -E '^(TypeError|[0-9]+$)')
}

expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
expect 'without TypeScript' '1' "$(run babel-7 '[]')"
expect 'Babel 7' 'TypeError: _initClass is not a function' "$(run babel-7 '["@babel/preset-typescript"]')"
expect 'Babel 7, allowDeclareFields' '1' "$(run babel-7 '[["@babel/preset-typescript", { "allowDeclareFields": true }]]')"
expect 'Babel 8' '1' "$(run babel-8 '["@babel/preset-typescript"]')"
