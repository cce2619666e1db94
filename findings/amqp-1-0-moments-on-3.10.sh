#!/usr/bin/env bash
# RabbitMQ 3.10 copies moments between AMQP 1.0 (milliseconds) and AMQP 0-9-1 (seconds) as they are, in both directions: what an AMQP 1.0
# client sends now is of the year 55,000 or later for a 0-9-1 consumer, and what a 0-9-1 client sends now is of January 1970 for an AMQP 1.0
# receiver. Mended in 4.0.
#
# Seen: RabbitMQ 3.10.8, rhea 3.0.5 and amqplib 2.3.1 (npm). Needs: rabbitmq-server 3.10, node, npm.
#   amqp-1-0-moments-on-3.10.sh: 1.0 to 0-9-1, 0-9-1 to 1.0: year 55840, year 1970
source "$(dirname "$0")/support/private-node.sh"

start_node rabbitmq_amqp1_0
npm_packages amqplib@2.3.1 rhea@3.0.5
cat >"$DIR/program.mjs" <<'JS'
import { once } from 'node:events';
import amqp from 'amqplib';
import rhea from 'rhea';

const port = Number(process.argv[2]);
const connection = await amqp.connect({ port });
const channel = await connection.createConfirmChannel();
await channel.assertQueue('moments', { durable: true });
const client = rhea.connect({ host: '127.0.0.1', port, username: 'guest', password: 'guest', reconnect: false });

const sender = client.open_sender('/amq/queue/moments');
await once(sender, 'sendable');
sender.send({ creation_time: 1_700_000_000_000, body: rhea.message.data_section(Buffer.from('{}')) });
await once(sender, 'accepted');
const { timestamp } = (await channel.get('moments', { noAck: true })).properties;
const there = new Date(timestamp * 1_000).getUTCFullYear();

channel.sendToQueue('moments', Buffer.from('{}'), { timestamp: 1_700_000_000 });
await channel.waitForConfirms();
client.open_receiver('/amq/queue/moments');
const [{ message }] = await once(client, 'message');
console.log(`year ${there}, year ${new Date(message.creation_time).getUTCFullYear()}`);
client.close();
await connection.close();
JS
expect '1.0 to 0-9-1, 0-9-1 to 1.0' 'year 55840, year 1970' "$(cd "$DIR" && node program.mjs "$AMQP_PORT")"
