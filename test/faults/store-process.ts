import { Bus, rabbitmq, type Stores } from 'hopline';
import { redisStores } from 'hopline/redis';
import { Redis } from 'ioredis';

/*
 * A service with stores for the tests to kill: `store-process.js BEHAVIOUR URL PREFIX REDIS`. Says what it does over IPC.
 */

const [behaviour, url, prefix = 'hopline', redis = ''] = process.argv.slice(2);
const say = (what: string) => process.send?.(what);
const die = () => process.kill(process.pid, 'SIGKILL');
const never = new Promise<never>(() => {});

const client = new Redis(redis);
await new Promise<void>((resolve) => client.once('ready', resolve));
const stores = redisStores({ client, keyPrefix: prefix });

const diesWithAKey: Stores = {
  ...stores,
  unique: {
    acquire: async (...given) => {
      await stores.unique.acquire(...given);
      die();
      return never;
    },
    extend: (...given) => stores.unique.extend(...given),
    release: (...given) => stores.unique.release(...given),
    next: (...given) => stores.unique.next(...given),
    advance: (...given) => stores.unique.advance(...given),
  },
};

const bus = new Bus({
  service: `${prefix}.${behaviour === 'dies in a send' ? 'sender' : 'worker'}`,
  prefix,
  transport: rabbitmq({ url }),
  stores: behaviour === 'dies in a send' ? diesWithAKey : stores,
});

if (behaviour !== 'dies in a send')
  bus.handle('work', async (_payload, context) => {
    await context.once('part', (key) => {
      say(`part ${key}`);
    });
    say(context.redelivered ? 'began again' : 'began');
    if (behaviour === 'dies while it handles') die();
  });

await bus.start();
say('started');
if (behaviour === 'dies in a send')
  await bus.send('work', 1, { messageId: 'dead', deadline: '500ms', unique: { key: 'k', for: '1d' } });
