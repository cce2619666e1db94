#!/usr/bin/env bash
# A decimal in a header has a signed 32-bit value in RabbitMQ and in Python's pika; Node's amqplib reads it as unsigned. A price of
# -1.25 that pika sends arrives as 42949671.71, without an error.
#
# Seen: amqplib 2.3.1 (npm), pika 1.2.0 (Debian 12), RabbitMQ 3.10.8. Needs: rabbitmq-server, python3-pika, node, npm.
#   amqplib-reads-negative-decimals-as-positive.sh: 1.25 and -1.25: 1.25 42949671.71
source "$(dirname "$0")/support/private-node.sh"

need '/usr/bin/python3 -c "import pika"' python3-pika
start_node
npm_packages amqplib@2.3.1
/usr/bin/python3 - "$AMQP_URL" <<'PYTHON'
import decimal, sys
import pika
connection = pika.BlockingConnection(pika.URLParameters(sys.argv[1]))
channel = connection.channel()
channel.queue_declare('prices', durable=True)
prices = {'up': decimal.Decimal('1.25'), 'down': decimal.Decimal('-1.25')}
channel.basic_publish('', 'prices', b'{}', pika.BasicProperties(headers=prices))
connection.close()
PYTHON
cat >"$DIR/get.mjs" <<'JS'
import amqp from 'amqplib';
const connection = await amqp.connect(process.argv[2]);
const channel = await connection.createChannel();
const { headers } = (await channel.get('prices', { noAck: true })).properties;
const price = ({ value: { digits, places } }) => digits / 10 ** places;
console.log(price(headers.up), price(headers.down));
await connection.close();
JS
expect '1.25 and -1.25' '1.25 42949671.71' "$(cd "$DIR" && node get.mjs "$AMQP_URL")"
