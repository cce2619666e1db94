#!/usr/bin/env bash
# A queue that is declared again with another value of an argument is refused (406). An exchange is not: of its arguments the broker compares the
# alternate exchange alone. A consistent-hash exchange that is declared again to hash by another header says yes, and goes on hashing by the
# first one: messages of one account go to several queues, and nothing tells.
#
# Seen: RabbitMQ 3.10.8, amqplib 2.3.1 (npm). Needs: rabbitmq-server, node, npm.
#   hash-exchange-keeps-its-first-header.sh: declared again with another hash-header: accepted
#   hash-exchange-keeps-its-first-header.sh: 100 messages of one account, by that header: in both queues
#   hash-exchange-keeps-its-first-header.sh: declared again with another alternate exchange: 406
source "$(dirname "$0")/support/private-node.sh"

start_node rabbitmq_consistent_hash_exchange
npm_packages amqplib@2.3.1
cat >"$DIR/program.mjs" <<'JS'
import amqp from 'amqplib';
const connection = await amqp.connect(process.argv[2]);
const declare = async (args) => {
  const channel = await connection.createConfirmChannel();
  channel.on('error', () => {});
  try {
    await channel.assertExchange('spread', 'x-consistent-hash', { durable: true, arguments: args });
    return 'accepted';
  } catch (error) {
    return String(error.code);
  }
};
await declare({ 'hash-header': 'order' });
const channel = await connection.createConfirmChannel();
for (const queue of ['one', 'two']) {
  await channel.assertQueue(queue, { durable: true });
  await channel.bindQueue(queue, 'spread', '1');
}
const again = await declare({ 'hash-header': 'account' });
for (let order = 0; order < 100; order += 1)
  channel.publish('spread', '', Buffer.from('{}'), { headers: { account: 'acme', order: `${order}` } });
await channel.waitForConfirms();
const counts = [];
for (const queue of ['one', 'two']) counts.push((await channel.checkQueue(queue)).messageCount);
const where = counts.every((count) => count > 0) ? 'both' : 'one';
console.log(again, where, await declare({ 'hash-header': 'order', 'alternate-exchange': 'amq.fanout' }));
await connection.close();
JS
read -r AGAIN WHERE ALTERNATE <<<"$(cd "$DIR" && node program.mjs "$AMQP_URL")"
expect 'declared again with another hash-header' accepted "$AGAIN"
expect '100 messages of one account, by that header' 'in both queues' "in $WHERE queues"
expect 'declared again with another alternate exchange' 406 "$ALTERNATE"
