"""Sends one message of each kind that pika can send. Its one argument is JSON: url, exchange, keys."""
import datetime
import decimal
import json
import sys
import pika

to = json.loads(sys.argv[1])
connection = pika.BlockingConnection(pika.URLParameters(to['url']))
channel = connection.channel()
channel.confirm_delivery()


def send(kind, case, body=None, **properties):
    body = json.dumps({'case': case}).encode() if body is None else body
    key = '.'.join([to['keys'], kind, case])
    # Nothing set is what most programs send.
    set_ = pika.BasicProperties(**properties) if properties else None
    channel.basic_publish(to['exchange'], key, body, set_)


send('json', 'plain')
send('json', 'whole-numbers', headers={
    'small': 5, 'negative': -1, 'int32': 70000, 'beyond-int32': 2**31, 'beyond-double': 2**53 + 1,
    'most': 2**63 - 1, 'least': -(2**63)})
send('json', 'decimals', headers={
    'price': decimal.Decimal('19.90'), 'whole': decimal.Decimal(7), 'negative': decimal.Decimal('-1.25')})
send('json', 'moments', headers={'at': datetime.datetime(2024, 2, 29, 12, 0, 0)})
send('json', 'texts', headers={'umlauts': 'grüße', 'empty': '', 'emoji': '\U0001f69a'})
send('json', 'bytes', headers={'digest': b'\xff\x00\x80', 'none': b''})
send('json', 'nothing', headers={'nothing': None, 'true': True, 'false': False})
send('json', 'nested', headers={
    'table': {'int64': 2**40, 'deeper': {'none': None, 'bytes': b'\xfe', 'decimal': decimal.Decimal('0.5')}},
    'list': [1, 2**40, 'text', None, [True, {'in': 'it'}]], 'empty-table': {}, 'empty-list': []})
send('json', 'properties', content_type='application/json', content_encoding='utf-8', priority=5,
     correlation_id='c-1', reply_to='answers', expiration='600000', message_id='m-1', timestamp=1700000000,
     type='order', user_id='guest', app_id='shop', cluster_id='east', delivery_mode=2)
send('json', 'binary-ids', message_id=bytes(range(240, 256)), correlation_id=b'\x80\x81')
send('json', 'transient', delivery_mode=1, priority=0)
send('json', 'carbon-copy', headers={'CC': ['nobody.is.there'], 'other': 1})
send('bytes', 'text', b'ON', content_type='text/plain')
send('bytes', 'empty', b'')
send('bytes', 'not-utf8', b'\xff\xfe\x00', content_type='application/octet-stream')
connection.close()
