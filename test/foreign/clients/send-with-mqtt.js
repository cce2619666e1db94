import mqtt from 'mqtt';

/* Sends one message of each kind by MQTT: version 5 where the broker has it. Its one argument is JSON: host, mqttPort, isOld, keys. */

const { host, mqttPort, isOld, keys } = JSON.parse(process.argv[2] ?? '');
const client = await mqtt.connectAsync({
  host,
  port: mqttPort,
  username: 'guest',
  password: 'guest',
  protocolVersion: isOld ? 4 : 5,
  reconnectPeriod: 0,
});

/** @param {string} kind @param {string} name @param {mqtt.IClientPublishOptions} [options] @param {string | Buffer} [body] */
async function send(kind, name, options = {}, body = JSON.stringify({ case: name })) {
  await client.publishAsync(`${keys}/${kind}/${name}`, body, { qos: 1, ...options });
}

/** @param {string} name @param {mqtt.IClientPublishOptions['properties']} properties */
const sendWith = (name, properties) => send('json', name, { properties: { ...properties } });

await send('json', 'plain');
await send('json', 'qos-0', { qos: 0 });
await send('json', 'retained', { retain: true });
await send('json', 'empty-level//below');
await send('bytes', 'word', {}, 'ON');
await send('bytes', 'not-utf8', {}, Buffer.from([0xff, 0xfe]));
if (!isOld) {
  await sendWith('content-type', { contentType: 'application/json' });
  await sendWith('plain-text', { contentType: 'text/plain', payloadFormatIndicator: true });
  await sendWith('user-properties', { userProperties: { zone: 'north', count: '5', umlauts: 'grüße' } });
  await sendWith('request', { responseTopic: 'answers/to/me', correlationData: Buffer.from('c-1') });
  await sendWith('binary-correlation', { correlationData: Buffer.from([0xff, 0x80, 0x00]) });
  await sendWith('expiry', { messageExpiryInterval: 600 });
}
await client.endAsync();
