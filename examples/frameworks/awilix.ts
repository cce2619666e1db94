import { AsyncLocalStorage } from 'node:async_hooks';
import { type AwilixContainer, asClass, asValue, createContainer, InjectionMode } from 'awilix';
import { Bus, type MessageContext, type Middleware, memory, rabbitmq } from 'hopline';
import { Handles, handlers, Queue } from 'hopline/decorators';

/** Stands for a database session: one for each message. */
class Session {
  dispose(): void {
    console.log('session closed');
  }
}

class Orders {
  constructor(private readonly session: Session) {}

  async place(number: string): Promise<string> {
    return `${number} placed in ${this.session.constructor.name}`;
  }
}

@Queue({ name: 'orders.place' })
@Handles('order.requested', { scope: 'message' })
class PlaceOrder {
  constructor(
    private readonly orders: Orders,
    private readonly context: MessageContext,
  ) {}

  async handle({ number }: { number: string }): Promise<void> {
    console.log(await this.orders.place(number), `attempt ${this.context.attempt}`);
  }
}

const container = createContainer({ injectionMode: InjectionMode.CLASSIC });
container.register({
  session: asClass(Session, { lifetime: 'SCOPED', dispose: (session) => session.dispose() }),
  orders: asClass(Orders),
});

/** The scope of the message that is handled. */
const scopes = new AsyncLocalStorage<AwilixContainer>();

/** A scope for each attempt at a message; it ends, and what it has made is disposed, once the message is settled. */
const scoped: Middleware = {
  async consume(_delivery, next) {
    const scope = container.createScope();
    try {
      return await scopes.run(scope, next);
    } finally {
      await scope.dispose();
    }
  },
};

const { AMQP_URL } = process.env;
const bus = new Bus({
  service: 'orders',
  transport: AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory(),
  middleware: [scoped],
  handlers: handlers([PlaceOrder], {
    // With `scope: 'message'` there is a context; other classes are built once, at the start.
    resolve: (target, context) => {
      const scope = scopes.getStore() ?? container;
      if (context) scope.register({ context: asValue(context) });
      return scope.build(target as new () => object);
    },
  }),
});

const handled = new Promise<void>((done) => {
  let left = 2;
  bus.on('handler.succeeded', () => {
    left -= 1;
    if (left === 0) done();
  });
});
await bus.start();
await bus.publish('order.requested', { number: 'A7' });
await bus.publish('order.requested', { number: 'A8' });
await handled;
await bus.stop();
await container.dispose();
