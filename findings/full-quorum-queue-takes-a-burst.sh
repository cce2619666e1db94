#!/usr/bin/env bash
# `x-max-length: 10` with `x-overflow: reject-publish` on a quorum queue does not refuse the eleventh message of a burst: 30 that are published at
# once are all confirmed, and all are in the queue. A classic queue takes exactly 10. Only who publishes one by one, each after the
# confirm of the one before, is stopped near the limit: by the 12th.
#
# Seen: RabbitMQ 3.10.8, amqplib 2.3.1 (npm). Needs: rabbitmq-server, node, npm.
#   full-quorum-queue-takes-a-burst.sh: 30 at once, classic: 10 confirmed, 10 in the queue
#   full-quorum-queue-takes-a-burst.sh: 30 at once, quorum: 30 confirmed, 30 in the queue
#   full-quorum-queue-takes-a-burst.sh: one by one, quorum, the first refused: 12
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages amqplib@2.3.1
cat >"$DIR/program.mjs" <<'JS'
import amqp from 'amqplib';
const [, , url, type, how] = process.argv;
const connection = await amqp.connect(url);
const channel = await connection.createConfirmChannel();
const queue = `${type}-${how}`;
const limits = { 'x-queue-type': type, 'x-max-length': 10, 'x-overflow': 'reject-publish' };
await channel.assertQueue(queue, { durable: true, arguments: limits });
const publish = () =>
  new Promise((resolve) => channel.sendToQueue(queue, Buffer.from('x'), {}, (error) => resolve(error === null)));
if (how === 'burst') {
  const confirmed = (await Promise.all(Array.from({ length: 30 }, publish))).filter(Boolean).length;
  console.log(`${confirmed} confirmed, ${(await channel.checkQueue(queue)).messageCount} in the queue`);
} else {
  let number = 1;
  while (await publish()) number += 1;
  console.log(number);
}
await connection.close();
JS
run() { (cd "$DIR" && node program.mjs "$AMQP_URL" "$@"); }
expect '30 at once, classic' '10 confirmed, 10 in the queue' "$(run classic burst)"
expect '30 at once, quorum' '30 confirmed, 30 in the queue' "$(run quorum burst)"
expect 'one by one, quorum, the first refused' 12 "$(run quorum steps)"
