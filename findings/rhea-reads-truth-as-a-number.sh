#!/usr/bin/env bash
# AMQP 1.0 has two encodings of a truth value, and a sender may use either. rhea reads the one that takes an octet (0x56) as a number: `true` is 1,
# and `=== true` is false. RabbitMQ 4 uses it for headers of AMQP 0-9-1 messages. rhea's own senders use the other (0x41, 0x42).
#
# Seen: rhea 3.0.5 (npm). Needs: node, npm.
#   rhea-reads-truth-as-a-number.sh: 0x41, 0x5601, 0x42, 0x5600: true 1 false 0
source "$(dirname "$0")/support/private-node.sh"

npm_packages rhea@3.0.5
cat >"$DIR/read.mjs" <<'JS'
import rhea from 'rhea';
// A message of one section, an amqp-value.
const read = (hex) => rhea.message.decode(Buffer.from(`005377${hex}`, 'hex')).body;
console.log(...['41', '5601', '42', '5600'].map(read));
JS
expect '0x41, 0x5601, 0x42, 0x5600' 'true 1 false 0' "$(cd "$DIR" && node read.mjs)"
