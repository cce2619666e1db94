#!/usr/bin/env bash
# On a plain channel amqplib's `publish()` returns true for messages that no queue ever gets: true means that the socket's buffer has room. One
# publish to an exchange that isn't there closes the channel, and the 100 behind it, to a queue that is, are dropped with it. On a
# confirm channel each of the 100 is told of: its callback has an error.
#
# Seen: amqplib 2.3.1 (npm), RabbitMQ 3.10.8. Needs: rabbitmq-server, node, npm.
#   amqplib-says-true-for-what-is-lost.sh: plain channel: true 100 times, 0 in the queue
#   amqplib-says-true-for-what-is-lost.sh: confirm channel: 100 errors, 0 in the queue
source "$(dirname "$0")/support/private-node.sh"

start_node
npm_packages amqplib@2.3.1
cat >"$DIR/program.mjs" <<'JS'
import amqp from 'amqplib';
const [, , url, kind] = process.argv;
const connection = await amqp.connect(url);
const looking = await connection.createChannel();
await looking.assertQueue(kind);
const channel = kind === 'plain' ? await connection.createChannel() : await connection.createConfirmChannel();
channel.on('error', () => {});
const closed = new Promise((resolve) => channel.on('close', resolve));
let trues = 0;
let errors = 0;
const confirmed = kind === 'plain' ? undefined : (error) => (errors += error ? 1 : 0);
channel.publish('no-such-exchange', '', Buffer.from('x'), {}, () => {});
for (let i = 0; i < 100; i++) if (channel.publish('', kind, Buffer.from('x'), {}, confirmed)) trues++;
await closed;
const { messageCount } = await looking.checkQueue(kind);
console.log(`${kind === 'plain' ? `true ${trues} times` : `${errors} errors`}, ${messageCount} in the queue`);
await connection.close();
JS
run() { (cd "$DIR" && node program.mjs "$AMQP_URL" "$@"); }
expect 'plain channel' 'true 100 times, 0 in the queue' "$(run plain)"
expect 'confirm channel' '100 errors, 0 in the queue' "$(run confirm)"
