#!/usr/bin/env bash
# Celery declares a direct exchange `celery` and binds its queue to it, but publishes a task through the *default* exchange, straight to
# the queue. A queue that somebody else binds to the exchange `celery` with the right key gets nothing of what Celery itself sends.
# With `exchange=` and `routing_key=` on the task it does publish there.
#
# Seen: Celery 5.2.6 with kombu 5.2.4 (Debian 12), RabbitMQ 3.10.8. Needs: rabbitmq-server, python3-celery.
#   celery-bypasses-its-exchange.sh: exchange, key and number in the queue bound beside Celery's: '' celery 0
#   celery-bypasses-its-exchange.sh: the same with exchange= and routing_key=: celery celery 1
source "$(dirname "$0")/support/private-node.sh"

need '/usr/bin/python3 -c "import celery"' python3-celery
start_node
program() { /usr/bin/python3 - "$AMQP_URL" "$1" <<'PYTHON'
import sys, time
import celery
from kombu import Connection, Exchange, Queue

url, options = sys.argv[1], eval(sys.argv[2])
app = celery.Celery(broker=url)
with Connection(url) as connection:
    exchange = Exchange('celery', type='direct', durable=True)
    beside = Queue('beside', exchange, routing_key='celery', exclusive=True)(connection.default_channel)
    beside.declare()
    app.send_task('orders.place', args=[7], **options)
    own, until = None, time.time() + 10
    while own is None and time.time() < until:
        own = connection.default_channel.basic_get('celery', no_ack=True)
    # Celery's own queue has it, so the one beside has it, too, or gets none.
    time.sleep(1)
    told = own.delivery_info
    print(told['exchange'] or "''", told['routing_key'], 0 if beside.get(no_ack=True) is None else 1)
PYTHON
}
expect "exchange, key and number in the queue bound beside Celery's" "'' celery 0" "$(program '{}')"
expect 'the same with exchange= and routing_key=' 'celery celery 1' "$(program "{'exchange': 'celery', 'routing_key': 'celery'}")"
