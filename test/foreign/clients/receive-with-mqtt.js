import mqtt from 'mqtt';

/* Prints `ready`, then the first message under a topic filter, by MQTT 5 where the broker has it. Its one argument is JSON: host, mqttPort, isOld, topic. */

const { host, mqttPort: port, isOld, topic } = JSON.parse(process.argv[2] ?? '');
const login = { username: 'guest', password: 'guest' };
const client = await mqtt.connectAsync({
  host,
  port,
  ...login,
  protocolVersion: isOld ? 4 : 5,
  reconnectPeriod: 0,
});
client.once('message', (topic, payload, { qos, retain, properties }) => {
  const { correlationData, ...others } = properties ?? {};
  const correlation = correlationData && { correlationData: correlationData.toString() };
  console.log(JSON.stringify({ topic, payload: payload.toString(), qos, retain, ...others, ...correlation }));
  client.end();
});
await client.subscribeAsync(topic, { qos: 1 });
console.log('ready');
