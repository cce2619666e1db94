import { once } from 'node:events';
import rhea from 'rhea';

/* Sends one message of each kind by AMQP 1.0. Its one argument is JSON: host, port, isOld, exchange, keys. */

const { host, port, isOld, exchange, keys } = JSON.parse(process.argv[2] ?? '');
const { types } = rhea;
const data = (/** @type {string | Buffer} */ bytes) => rhea.message.data_section(Buffer.from(bytes));

const connection = rhea.connect({ host, port, username: 'guest', password: 'guest', reconnect: false });

/** @param {string} kind @param {string} name @param {object} [message] */
async function send(kind, name, message) {
  // From 4.0 on there is a new form of addresses.
  const address = `/${isOld ? 'exchange' : 'exchanges'}/${exchange}/${keys}.${kind}.${name}`;
  const sender = connection.open_sender({ target: { address } });
  await once(sender, 'sendable');
  sender.send({ body: data(JSON.stringify({ case: name })), ...message });
  await once(sender, 'accepted');
  sender.close();
}

await send('json', 'plain');
await send('json', 'header', { durable: true, priority: 5, ttl: 600_000 });
await send('json', 'properties', {
  content_type: 'application/json',
  message_id: 'm-1',
  correlation_id: 'c-1',
  user_id: Buffer.from('guest'),
  creation_time: 1_700_000_000_000,
  group_id: 'shop',
  subject: 'order',
});
await send('json', 'whole-numbers', {
  application_properties: {
    byte: types.wrap_byte(-5),
    ubyte: types.wrap_ubyte(200),
    short: types.wrap_short(-300),
    ushort: types.wrap_ushort(40_000),
    int: types.wrap_int(5),
    long: types.wrap_long(5),
    ulong: types.wrap_ulong(7),
    plain: 7,
  },
});
await send('json', 'other-types', {
  application_properties: {
    float: types.wrap_float(1.5),
    double: types.wrap_double(0.1),
    true: true,
    at: types.wrap_timestamp(1_700_000_000_000),
    symbol: types.wrap_symbol('s'),
    nothing: null,
    text: 'grüße',
    binary: types.wrap_binary(Buffer.from([0xff, 0x80])),
  },
});
await send('json', 'annotations', { message_annotations: { 'x-zone': 'north', 'x-opt-number': 5 } });
await send('bytes', 'text-value', { body: 'ON' });
await send('bytes', 'map-value', { body: { celsius: 21 } });
await send('bytes', 'data', { body: data(Buffer.from([0xff, 0xfe])) });

connection.close();
