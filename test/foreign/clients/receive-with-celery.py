"""A worker that prints `ready`, then the first task that it runs, and ends. Its one argument is JSON: url, queue."""
import json
import os
import sys
import celery
from celery.signals import worker_ready

to = json.loads(sys.argv[1])
app = celery.Celery(broker=to['url'])
app.conf.task_default_queue = to['queue']
app.conf.worker_enable_remote_control = False
app.conf.worker_redirect_stdouts = False


@app.task(name='orders.place', bind=True)
def place(self, *args, **kwargs):
    request = self.request
    print(json.dumps({'args': args, 'kwargs': kwargs, 'id': request.id, 'shard': request.get('shard'),
                      'correlation_id': request.correlation_id}), flush=True)
    # It has acked before it began.
    os._exit(0)


@worker_ready.connect
def ready(**_):
    print('ready', flush=True)


app.Worker(pool='solo', loglevel='CRITICAL', without_gossip=True, without_mingle=True, without_heartbeat=True).start()
