import { AmqpConnection } from '@golevelup/nestjs-rabbitmq';

const { url, exchange, requests } = JSON.parse(process.argv[2]);

// Without a Nest application: the very class that one injects.
const connection = new AmqpConnection({
  uri: url,
  connectionInitOptions: { wait: true, timeout: 20_000 },
  logger: { log() {}, error: console.error, warn() {}, debug() {}, verbose() {} },
});
await connection.init();
const replies = [];
for (const { routingKey, payload } of requests)
  replies.push(await connection.request({ exchange, routingKey, payload, timeout: 10_000 }));
console.log(JSON.stringify({ replies }));
process.exit();
