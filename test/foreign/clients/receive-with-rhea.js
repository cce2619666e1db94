import rhea from 'rhea';

/* Takes one message from a queue by AMQP 1.0, and prints what it sees. Its one argument is JSON: host, port, isOld, queue. */

const { host, port, isOld, queue } = JSON.parse(process.argv[2] ?? '');
const connection = rhea.connect({ host, port, username: 'guest', password: 'guest', reconnect: false });
connection.open_receiver(isOld ? `/amq/queue/${queue}` : `/queues/${queue}`);
connection.once('message', (/** @type {any} */ { message }) => {
  const { body, ...rest } = message;
  const text = body?.content ? { data: body.content.toString() } : { value: body };
  console.log(JSON.stringify({ ...rest, body: text }));
  connection.close();
});
