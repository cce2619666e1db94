import { Bus, memory } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

class Mailer {
  async send(to) {
    console.log(`welcome, ${to}`);
  }
}

class SendWelcomeEmail {
  // What the constructor is given.
  static inject = [Mailer];

  constructor(mailer) {
    this.mailer = mailer;
  }

  async handle({ to }) {
    await this.mailer.send(to);
  }
}
// A decorator on a class is a function of the class …
Queue({ name: 'mailer.welcome-email' })(SendWelcomeEmail);
Handles('email.welcome')(SendWelcomeEmail);

class Billing {
  onPlaced({ order }) {
    console.log(`billed ${order}`);
  }
}
Queue({ name: 'billing' })(Billing);
// … and one on a method a function of the prototype, the method's name, and an object that goes unused.
Handles('order.placed')(Billing.prototype, 'onPlaced', {});
Retry({ tries: 3 })(Billing.prototype, 'onPlaced');

const bus = new Bus({
  service: 'mailer',
  transport: memory(),
  handlers: handlers([SendWelcomeEmail, Billing]),
});
// Or no class at all:
bus.handle('order.cancelled', ({ order }) => console.log(`cancelled ${order}`), {
  queue: 'billing.cancelled',
});
let open = 3;
const handled = new Promise((done) => {
  bus.on('handler.succeeded', () => --open === 0 && done());
});

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' });
await bus.publish('order.placed', { order: 'A7' });
await bus.publish('order.cancelled', { order: 'A7' });
await handled;
await bus.stop();
