"""Asks one after the other, and prints the replies. Its one argument is JSON: url, exchange, replyQueue, requests."""
import json
import sys
import pika

to = json.loads(sys.argv[1])
connection = pika.BlockingConnection(pika.URLParameters(to['url']))
channel = connection.channel()
# RabbitMQ's own has no queue to declare; no name stands for an exclusive one that the broker names.
queue = to['replyQueue']
if not queue.startswith('amq.'):
    queue = channel.queue_declare(queue, exclusive=True).method.queue
replies = []


def on_reply(_channel, _method, properties, body):
    replies.append({
        'body': json.loads(body), 'correlationId': properties.correlation_id,
        'contentType': properties.content_type, 'headers': properties.headers})


channel.basic_consume(queue, on_reply, auto_ack=True)
for request in to['requests']:
    channel.basic_publish(
        to['exchange'], request['routingKey'], json.dumps(request['payload']).encode(),
        pika.BasicProperties(reply_to=queue, correlation_id=request.get('correlationId')))
    before = len(replies)
    while len(replies) == before:
        connection.process_data_events(time_limit=20)
        if len(replies) == before:
            sys.exit(f"no reply to {request['routingKey']}")
connection.close()
print(json.dumps({'replies': replies}))
