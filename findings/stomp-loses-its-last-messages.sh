#!/usr/bin/env bash
# A STOMP client that sends six messages, disconnects in order and waits for the RECEIPT of its DISCONNECT has often lost the last of them:
# RabbitMQ 3.10 has them all in a classic queue, and not in a quorum queue that is bound in the same way (1,619 of 1,800). With a
# `receipt` on the last SEND itself, which the broker answers when the queues have the message, none is lost.
#
# Seen: RabbitMQ 3.10.8, plain STOMP 1.2 over a socket. Needs: rabbitmq-server, python3, node, npm.
#   stomp-loses-its-last-messages.sh: RECEIPT of the DISCONNECT alone, classic queue: all
#   stomp-loses-its-last-messages.sh: RECEIPT of the DISCONNECT alone, quorum queue: fewer
#   stomp-loses-its-last-messages.sh: RECEIPT of the SEND, too, quorum queue: all
source "$(dirname "$0")/support/private-node.sh"

start_node rabbitmq_stomp
npm_packages amqplib@2.3.1
cat >"$DIR/queues.mjs" <<'JS'
import amqp from 'amqplib';
const [, , url, suffix, act] = process.argv;
const connection = await amqp.connect(url);
const channel = await connection.createChannel();
for (const type of ['classic', 'quorum']) {
  const queue = `${type}-${suffix}`;
  if (act === 'declare') {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } });
    await channel.bindQueue(queue, 'amq.topic', suffix);
  } else console.log((await channel.checkQueue(queue)).messageCount);
}
await connection.close();
JS
cat >"$DIR/send.py" <<'PYTHON'
import socket, sys

port, key, rounds, confirmed = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == 'confirmed'

def answer(link, command):
    seen = b''
    while b'\0' not in seen:
        seen += link.recv(4096)
    assert seen.lstrip().startswith(command), seen

for number in range(rounds):
    with socket.create_connection(('127.0.0.1', port)) as link:
        link.sendall(b'CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0')
        answer(link, b'CONNECTED')
        for last in (False, False, False, False, False, True):
            receipt = 'receipt:sent\n' if confirmed and last else ''
            link.sendall(f'SEND\ndestination:/exchange/amq.topic/{key}\n{receipt}\n{number}\0'.encode())
        if confirmed:
            answer(link, b'RECEIPT')
        link.sendall(b'DISCONNECT\nreceipt:bye\n\n\0')
        answer(link, b'RECEIPT')
PYTHON

ROUNDS=300
ALL=$((6 * ROUNDS))
for how in unconfirmed confirmed; do
  (cd "$DIR" && node queues.mjs "$AMQP_URL" $how declare)
  python3 "$DIR/send.py" "$STOMP_PORT" $how $ROUNDS $how
  sleep 2 # what is on its way to a queue has arrived
  mapfile -t COUNTS < <(cd "$DIR" && node queues.mjs "$AMQP_URL" $how count)
  say "$how: classic ${COUNTS[0]}, quorum ${COUNTS[1]} of $ALL"
  told() { if [ "$1" -eq $ALL ]; then echo all; else echo fewer; fi; }
  if [ $how = unconfirmed ]; then
    expect 'RECEIPT of the DISCONNECT alone, classic queue' all "$(told "${COUNTS[0]}")"
    expect 'RECEIPT of the DISCONNECT alone, quorum queue' fewer "$(told "${COUNTS[1]}")"
  else
    expect 'RECEIPT of the SEND, too, quorum queue' all "$(told "${COUNTS[1]}")"
  fi
done
