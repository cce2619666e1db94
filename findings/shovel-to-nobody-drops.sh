#!/usr/bin/env bash
# A shovel that moves a queue to an exchange waits for the broker's confirm of each message (`ack-mode: on-confirm`, the default), and takes it off
# its queue then. A message that no queue takes is confirmed, too: with nobody bound to the exchange, ten of ten messages are
# gone, and the shovel says that all went well. To another *queue* (`dest-queue`) they arrive.
#
# Seen: RabbitMQ 3.10.8, amqplib 2.3.1 (npm). Needs: rabbitmq-server, node, npm.
#   shovel-to-nobody-drops.sh: ten messages to an exchange that nobody is bound to: 0 left, 0 arrived
#   shovel-to-nobody-drops.sh: ten messages to a queue: 0 left, 10 arrived
source "$(dirname "$0")/support/private-node.sh"

start_node rabbitmq_shovel
npm_packages amqplib@2.3.1
cat >"$DIR/program.mjs" <<'JS'
import amqp from 'amqplib';
const [, , url, step] = process.argv;
const connection = await amqp.connect(url);
const channel = await connection.createConfirmChannel();
const left = async (queue) => (await channel.checkQueue(queue)).messageCount;
if (step === 'fill') {
  await channel.assertExchange('nobody', 'topic', { durable: true });
  for (const queue of ['source', 'target']) await channel.assertQueue(queue, { durable: true });
  for (let number = 0; number < 10; number += 1) channel.sendToQueue('source', Buffer.from(`${number}`));
  await channel.waitForConfirms();
} else console.log(`${await left('source')} left, ${await left('target')} arrived`);
await connection.close();
JS
program() { (cd "$DIR" && node program.mjs "$AMQP_URL" "$1"); }
move() { # a destination; waits until the shovel has moved all that was there, which ends it
  program fill
  ctl set_parameter shovel move "{\"src-uri\": \"$AMQP_URL\", \"src-queue\": \"source\", \"src-delete-after\": \"queue-length\",
    \"dest-uri\": \"$AMQP_URL\", $1}"
  local deadline=$((SECONDS + 60))
  until ! ctl list_parameters | grep -q shovel || [ $SECONDS -gt $deadline ]; do sleep 0.5; done
  program look
}
expect 'ten messages to an exchange that nobody is bound to' '0 left, 0 arrived' "$(move '"dest-exchange": "nobody", "dest-exchange-key": "a"')"
expect 'ten messages to a queue' '0 left, 10 arrived' "$(move '"dest-queue": "target"')"
