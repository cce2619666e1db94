"""Replies to so many requests, as pika's tutorial does, and prints what it saw. Its one argument is JSON: url, exchange,
routingKey, queue, count."""
import json
import sys
import pika

to = json.loads(sys.argv[1])
connection = pika.BlockingConnection(pika.URLParameters(to['url']))
channel = connection.channel()
channel.queue_declare(to['queue'], exclusive=True)
channel.queue_bind(to['queue'], to['exchange'], to['routingKey'])
channel.basic_qos(prefetch_count=1)
seen = []


def on_request(channel, method, properties, body):
    payload = json.loads(body)
    seen.append({
        'payload': payload, 'contentType': properties.content_type, 'messageId': properties.message_id,
        'expires': properties.expiration is not None})
    refused = payload['amount'] < 0
    reply = {'code': 'TOO_FEW', 'message': 'none is left'} if refused else {'cents': payload['amount'] * 3}
    channel.basic_publish('', properties.reply_to, json.dumps(reply).encode(), pika.BasicProperties(
        correlation_id=properties.correlation_id, headers={'hopline-reply': 'error'} if refused else None))
    channel.basic_ack(method.delivery_tag)
    if len(seen) == to['count']:
        channel.stop_consuming()


channel.basic_consume(to['queue'], on_request)
print('ready', flush=True)
channel.start_consuming()
connection.close()
print(json.dumps({'seen': seen}))
