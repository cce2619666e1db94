import { longString, methodFrame, shortString, table, uint16, uint32 } from './wire.js';

const FRAME_MAX = 131_072;

/** What RabbitMQ 3.10.8 says of itself: clients go by it. */
const SERVER_PROPERTIES = {
  capabilities: {
    publisher_confirms: true,
    exchange_exchange_bindings: true,
    'basic.nack': true,
    consumer_cancel_notify: true,
    'connection.blocked': true,
    consumer_priorities: true,
    authentication_failure_close: true,
    per_consumer_qos: true,
    direct_reply_to: true,
  },
  cluster_name: 'null@localhost',
  copyright: 'none',
  information: 'a null broker',
  platform: 'Node.js',
  product: 'RabbitMQ',
  version: '3.10.8',
};

/** Connection.Start: the answer to the protocol header. */
export const START = methodFrame(
  0,
  10,
  10,
  Buffer.from([0, 9]),
  table(SERVER_PROPERTIES),
  longString('PLAIN AMQPLAIN'),
  longString('en_US'),
);

/** Connection.Tune: channels, frame size, and no heartbeat of ours. */
export const TUNE = methodFrame(0, 10, 30, uint16(2_047), uint32(FRAME_MAX), uint16(60));

export const OPEN_OK = methodFrame(0, 10, 41, shortString(''));
