import fp from 'fastify-plugin';
import type { Bus } from 'hopline';

declare module 'fastify' {
  interface FastifyInstance {
    readonly bus: Bus;
  }
}

/** `fastify.bus`: started before the server listens, stopped once its last request is answered. */
export const busPlugin = fp<{ bus: Bus }>(
  async (fastify, { bus }) => {
    fastify.decorate('bus', bus);
    fastify.addHook('onReady', () => bus.start());
    fastify.addHook('onClose', () => bus.stop());
  },
  { name: 'hopline', fastify: '5.x' },
);
