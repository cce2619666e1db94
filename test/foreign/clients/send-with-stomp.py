"""Sends one message of each kind that STOMP 1.2 can send. Its one argument is JSON: host, stompPort, exchange, keys."""
import json
import sys
import stomp

to = json.loads(sys.argv[1])


class Receipts(stomp.ConnectionListener):
    def on_error(self, frame):
        sys.exit(f'ERROR: {frame.headers} {frame.body}')


connection = stomp.Connection12([(to['host'], to['stompPort'])], vhost='/')
connection.set_listener('errors', Receipts())
waiting = stomp.WaitingListener('bye')
connection.set_listener('bye', waiting)
connection.connect('guest', 'guest', wait=True)


def send(kind, case, body=None, content_type=None, **headers):
    body = json.dumps({'case': case}) if body is None else body
    destination = f"/exchange/{to['exchange']}/{to['keys']}.{kind}.{case}"
    connection.send(destination, body, content_type=content_type, headers={
        name.replace('_', '-'): value for name, value in headers.items()})


send('json', 'plain')
send('json', 'typed', content_type='application/json')
send('json', 'headers', number='5', fraction='1.5', text='grüße', colon='a:b', receipt='r-1')
send('json', 'properties', content_type='application/json', content_encoding='utf-8', priority='5', correlation_id='c-1',
     reply_to='answers', expiration='600000', amqp_message_id='m-1', timestamp='1700000000', type='order',
     app_id='shop', persistent='true')
send('bytes', 'text', 'ON', content_type='text/plain')
# Else a quorum queue of 3.10 may not get the last one, whatever the answer to the DISCONNECT.
sent = stomp.WaitingListener('sent')
connection.set_listener('sent', sent)
send('bytes', 'not-utf8', b'\xff\xfe', receipt='sent')
sent.wait_on_receipt()
connection.disconnect(receipt='bye')
waiting.wait_on_receipt()
