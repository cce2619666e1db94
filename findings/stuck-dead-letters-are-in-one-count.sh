#!/usr/bin/env bash
# A message whose time in a quorum queue is over, and that `x-dead-letter-strategy: at-least-once` can't hand on since its target is full, is
# neither ready nor unacknowledged: a passive declare says that the queue is empty. Only `messages` has it, and nothing says since when.
#
# Seen: RabbitMQ 3.10.8, amqplib 2.3.1 (npm). Needs: rabbitmq-server, node, npm.
#   stuck-dead-letters-are-in-one-count.sh: by a passive declare: 0
#   stuck-dead-letters-are-in-one-count.sh: messages, ready, unacknowledged: 1 0 0
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages amqplib@2.3.1
cat >"$DIR/program.mjs" <<'JS'
import { setTimeout as pause } from 'node:timers/promises';
import amqp from 'amqplib';
const connection = await amqp.connect(process.argv[2]);
const channel = await connection.createConfirmChannel();
const quorum = (more) => ({ durable: true, arguments: { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish', ...more } });
await channel.assertQueue('full', quorum({ 'x-max-length': 1 }));
await channel.assertExchange('dead', 'fanout');
await channel.bindQueue('full', 'dead', '');
await channel.assertQueue(
  'delay',
  quorum({ 'x-message-ttl': 100, 'x-dead-letter-exchange': 'dead', 'x-dead-letter-strategy': 'at-least-once' }),
);
const isTaken = (queue) =>
  new Promise((resolve) => channel.sendToQueue(queue, Buffer.from('x'), {}, (error) => resolve(error === null)));
while (await isTaken('full'));
await isTaken('delay');
await pause(8_000);
console.log((await channel.checkQueue('delay')).messageCount);
await connection.close();
JS
expect 'by a passive declare' 0 "$(cd "$DIR" && node program.mjs "$AMQP_URL")"
counts=$(ctl --quiet list_queues name messages messages_ready messages_unacknowledged --no-table-headers | awk '$1 == "delay" { print $2, $3, $4 }')
expect 'messages, ready, unacknowledged' '1 0 0' "$counts"
