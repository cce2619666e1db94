#!/usr/bin/env bash
# `Logger.isLevelEnabled()` of Nest says false of each level, errors included, as long as nobody has set levels, though the logger
# writes them all; that of a ConsoleLogger is right. And a second argument that is an object is no part of the message: it is written as
# lines of its own.
#
# Seen: @nestjs/common 11.2.10, Node.js 20.20.2 (npm). Needs: node, npm.
#   is an error written: false
#   an error: 1 line
#   by ConsoleLogger: true
#   a message with one field: 4 lines
set -euo pipefail

DIR="$(mktemp -d)"
trap 'rm -rf "$DIR"' EXIT
cd "$DIR"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts @nestjs/common@11.2.10 reflect-metadata@0.2.2 rxjs@7.8.2
cat >program.js <<'JS'
import 'reflect-metadata';
import common from '@nestjs/common';
const logger = new common.Logger('Bus');
const [, , what] = process.argv;
if (what === 'asked') console.log(common.Logger.isLevelEnabled('error'));
if (what === 'console') console.log(new common.ConsoleLogger('Bus').isLevelEnabled('error'));
if (what === 'error') logger.error('it failed');
if (what === 'fields') logger.log('it has started', { service: 'shop' });
JS
expect() {
  echo "$1: $3"
  [ "$2" = "$3" ] || { echo "expected: $2" >&2; exit 1; }
}
lines() { node program.js "$1" 2>&1 | grep -c '^' | sed 's/^1$/1 line/;t;s/$/ lines/'; }
expect 'is an error written' false "$(node program.js asked)"
expect 'an error' '1 line' "$(lines error)"
expect 'by ConsoleLogger' true "$(node program.js console)"
expect 'a message with one field' '4 lines' "$(lines fields)"
