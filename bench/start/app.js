import { connect } from 'node:net';
import { Bus, rabbitmq } from 'hopline';

/** What `hopline work` runs in the bench of the start: tells when its handler has a message. */

const { AMQP_URL, BENCH_PREFIX: prefix, BENCH_PORT } = process.env;

const bus = new Bus({ service: 'bench', prefix, transport: rabbitmq({ url: AMQP_URL }) });
bus.handle(
  'bench.first',
  () => {
    const at = performance.timeOrigin + performance.now();
    connect(Number(BENCH_PORT), '127.0.0.1').end(String(at));
  },
  { queue: `${prefix}.first` },
);
export default bus;
