import { once } from 'node:events';
import fastify from 'fastify';
import { dashboard } from 'hopline/dashboard';
import { bus, transport } from './bus.js';

const pages = dashboard({ transport, name: 'Shop', path: '/ops', allowActions: true });

const app = fastify({ forceCloseConnections: true });
app.get('/', () => 'the shop\n');
app.register((ops, _options, done) => {
  // The dashboard reads its forms itself, and answers itself.
  ops.removeAllContentTypeParsers();
  ops.addContentTypeParser('*', (_request, _body, parsed) => parsed(null));
  for (const path of ['/ops', '/ops/*'])
    ops.all(path, (request, reply) => {
      reply.hijack();
      pages.listener(request.raw, reply.raw);
    });
  done();
});

await bus.start();
const address = await app.listen({ port: Number(process.env.PORT ?? '3000'), host: '127.0.0.1' });
console.log(`listening on ${new URL(address).port}`);

await once(process, 'SIGTERM');
await pages.close();
await app.close();
await bus.stop();
