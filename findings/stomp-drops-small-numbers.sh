#!/usr/bin/env bash
# RabbitMQ's STOMP plugin hands on a header of an AMQP 0-9-1 message if it is a text, an int32 or an int64, and drops it without a word
# if it is a smaller integer, a double, or a truth value. Node's amqplib writes each whole number in the smallest type that holds
# it. So a STOMP subscriber sees { retries: 70000 }, and of { retries: 3 } nothing.
#
# Seen: RabbitMQ 3.10.8, amqplib 2.3.1 (npm). Needs: rabbitmq-server, python3, node, npm.
#   stomp-drops-small-numbers.sh: headers of { text, small: 3, int16: 300, int32: 70000, int64: 2^40, double: 1.5, truth }: int32 int64 text
source "$(dirname "$0")/support/private-node.sh"

start_node rabbitmq_stomp
npm_packages amqplib@2.3.1
cat >"$DIR/publish.mjs" <<'JS'
import amqp from 'amqplib';
const connection = await amqp.connect(process.argv[2]);
const channel = await connection.createConfirmChannel();
await channel.assertQueue('orders', { durable: true });
const headers = { text: 'a', small: 3, int16: 300, int32: 70_000, int64: 2 ** 40, double: 1.5, truth: true };
channel.sendToQueue('orders', Buffer.from('{}'), { headers });
await channel.waitForConfirms();
await connection.close();
JS
(cd "$DIR" && node publish.mjs "$AMQP_URL")
SEEN=$(python3 - "$STOMP_PORT" <<'PYTHON'
import socket, sys
stomp = socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=20)
stomp.sendall(b'CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0')
stomp.sendall(b'SUBSCRIBE\nid:1\ndestination:/amq/queue/orders\n\n\0')
seen = b''
while b'MESSAGE' not in seen or not seen.rstrip(b'\n').endswith(b'\0'):
    seen += stomp.recv(65536)
lines = seen.split(b'MESSAGE\n')[1].split(b'\n\n')[0].decode().split('\n')
names = {line.split(':')[0] for line in lines}
print(*sorted(names & {'text', 'small', 'int16', 'int32', 'int64', 'double', 'truth'}))
PYTHON
)
expect 'headers of { text, small: 3, int16: 300, int32: 70000, int64: 2^40, double: 1.5, truth }' 'int32 int64 text' "$SEEN"
