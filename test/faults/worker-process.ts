import { Bus, rabbitmq } from 'hopline';

/** A worker for the tests to signal and to kill: says what it does over IPC. Arguments: url, service, handler's milliseconds. */
const [url, service = 'worker', handlerMs = '0'] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);

const bus = new Bus({ service, prefix: service, transport: rabbitmq({ url }), stopDeadline: '2s' });

bus.handle('work', async (_payload, { redelivered }) => {
  say(redelivered ? 'began again' : 'began');
  await new Promise((resolve) => setTimeout(resolve, Number(handlerMs)));
  say('ended');
});

bus.runUntilSignal().then(
  () => process.disconnect(),
  (error) => {
    console.error(error);
    process.exit(2);
  },
);
say('up');
