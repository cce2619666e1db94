"""Sends one task of each kind that Celery can send. Its one argument is JSON: url, exchange, keys."""
import json
import sys
import celery

to = json.loads(sys.argv[1])
app = celery.Celery(broker=to['url'])


def send(case, kind='json', **options):
    # Without an exchange it goes by the default one to Celery's own queue.
    app.send_task('orders.place', args=[case], kwargs={'case': case}, exchange=to['exchange'],
                  routing_key='.'.join([to['keys'], kind, case]), **options)


send('plain')
send('countdown', countdown=60)
send('expires', expires=600)
send('priority', priority=5)
send('id', task_id='order-4711')
send('headers', headers={
    'int': 5, 'negative': -70000, 'text': 'grüße', 'nothing': None, 'true': True, 'list': [1, None, 'a', {'b': False}],
    'table': {'deeper': {'none': None, 'int': 3}}})
send('gzip', compression='gzip')
send('pickle', kind='bytes', serializer='pickle')
