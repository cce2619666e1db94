#!/usr/bin/env bash
# `compression='gzip'` of Celery and kombu is zlib's format (RFC 1950), not gzip's (RFC 1952): no gunzip takes it. It is announced in a header
# named `compression`, as `application/x-gzip`, while the content encoding still says `utf-8`.
#
# Seen: Celery 5.2.6 with kombu 5.2.4 (Debian 12), RabbitMQ 3.10.8. Needs: rabbitmq-server, python3-celery.
#   kombu-gzip-is-zlib.sh: header, content encoding, first bytes, gunzip, zlib: application/x-gzip utf-8 789c refused [[7], {},
source "$(dirname "$0")/support/private-node.sh"

need '/usr/bin/python3 -c "import celery"' python3-celery
start_node
SEEN=$(/usr/bin/python3 - "$AMQP_URL" <<'PYTHON'
import gzip, sys, time, zlib
import celery
from kombu import Connection

url = sys.argv[1]
celery.Celery(broker=url).send_task('orders.place', args=[7], compression='gzip')
with Connection(url) as connection:
    message, until = None, time.time() + 10
    while message is None and time.time() < until:
        message = connection.default_channel.basic_get('celery', no_ack=True)
    try:
        gzip.decompress(message.body)
        gunzip = 'taken'
    except gzip.BadGzipFile:
        gunzip = 'refused'
    first, text = message.body[:2].hex(), zlib.decompress(message.body).decode()
    print(message.headers['compression'], message.content_encoding, first, gunzip, text[:9])
PYTHON
)
expect 'header, content encoding, first bytes, gunzip, zlib' 'application/x-gzip utf-8 789c refused [[7], {},' "$SEEN"
