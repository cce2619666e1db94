import { Bus, memory, rabbitmq } from 'hopline';
import { logEvents } from 'hopline/logs';
import pino from 'pino';

const log = pino({ base: null, timestamp: false });
const { AMQP_URL } = process.env;
const transport = AMQP_URL ? rabbitmq({ url: AMQP_URL }) : memory();
const bus = new Bus({ service: 'invoices', transport, log });

logEvents(bus, { log, levels: { 'handler.succeeded': 'info', 'bus.stopping': false } });

bus.handle('invoice.due', ({ id }, context) => context.log.info({ invoice: id }, 'sent'), {
  name: 'SendInvoice',
});

const done = new Promise((resolve) => bus.on('handler.succeeded', resolve));
await bus.start();
await bus.publish('invoice.due', { id: 7 }, { messageId: 'due-7' });
await done;
await bus.stop();
