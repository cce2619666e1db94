import { Bus, memory, rabbitmq } from 'hopline';
import { Handles, handlers, Queue, Retry } from 'hopline/decorators';

const { AMQP_URL, SERVICE: service = 'shop' } = process.env;
const lines = [];

class Mailer {
  send(to) {
    lines.push(`welcome, ${to}`);
  }
}

class SendWelcomeEmail {
  static inject = [Mailer];

  constructor(mailer) {
    this.mailer = mailer;
  }

  handle({ to }) {
    this.mailer.send(to);
  }
}
Queue({ name: `${service}.welcome` })(SendWelcomeEmail);
Handles('email.welcome')(SendWelcomeEmail);

class Billing {
  attempts = 0;

  onPlaced({ id }) {
    this.attempts += 1;
    if (this.attempts === 1) throw new Error('the first attempt fails');
    lines.push(`welcome, billed ${id}`);
  }
}
Queue({ name: `${service}.billing` })(Billing);
Handles('order.placed')(Billing.prototype, 'onPlaced', {});
Retry({ tries: 2, backoff: '50ms' })(Billing.prototype, 'onPlaced');

const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({
  service,
  prefix: service,
  transport,
  handlers: handlers([SendWelcomeEmail, Billing]),
});
bus.handle('order.cancelled', ({ id }) => lines.push(`cancelled ${id}`), { queue: `${service}.cancelled` });
let open = 3;
const handled = new Promise((resolve) => {
  bus.on('handler.succeeded', () => {
    open -= 1;
    if (open === 0) resolve();
  });
});

await bus.start();
await bus.publish('email.welcome', { to: 'ada@example.org' });
await bus.publish('order.placed', { id: 'A7' });
await bus.publish('order.cancelled', { id: 'A7' });
await handled;
await bus.stop();
console.log(lines.sort().join('\n'));
