/**
 * What is compared. `kind` says what a figure stands for: a client as it comes, a variant of one that somebody has written
 * by hand, another language, or another kind of broker with other promises.
 *
 * @typedef {object} PeerEntry
 * @property {string} id
 * @property {string} name  as the tables call it
 * @property {string} file
 * @property {string[]} args
 * @property {'raw' | 'peer' | 'variant' | 'native' | 'other' | 'ours'} kind
 * @property {readonly string[]} [only]  scenarios it is made for
 * @property {readonly string[]} [without]  scenarios it can't run
 */

/** BullMQ's broker is Redis: there is no null one, no fanout, and no choice of queue. */
const ONLY_AMQP = ['consume-null', 'publish-null', 'consume-quorum', 'publish-quorum', 'fanout'];

/** @type {readonly PeerEntry[]} */
export const PEERS = [
  { id: 'amqplib', name: 'amqplib, ack each', file: 'amqplib.js', args: [], kind: 'raw' },
  {
    id: 'amqplib-batch',
    name: 'amqplib, batched acks',
    file: 'amqplib.js',
    args: ['--ack', 'batch'],
    kind: 'variant',
  },
  {
    // By default it leaves Nagle's algorithm on, which holds a body of some kB back until others join it.
    id: 'amqplib-nodelay',
    name: 'amqplib, noDelay',
    file: 'amqplib.js',
    args: ['--no-delay'],
    kind: 'variant',
    only: ['latency'],
  },
  {
    id: 'manager',
    name: 'amqp-connection-manager',
    file: 'amqp-connection-manager.js',
    args: [],
    kind: 'peer',
  },
  { id: 'rabbitmq-client', name: 'rabbitmq-client', file: 'rabbitmq-client.js', args: [], kind: 'peer' },
  { id: 'cloudamqp', name: '@cloudamqp/amqp-client', file: 'cloudamqp.js', args: [], kind: 'peer' },
  { id: 'golevelup', name: '@golevelup/nestjs-rabbitmq', file: 'golevelup.js', args: [], kind: 'peer' },
  {
    id: 'golevelup-nodelay',
    name: '@golevelup/nestjs-rabbitmq, noDelay',
    file: 'golevelup.js',
    args: ['--no-delay'],
    kind: 'variant',
    only: ['rpc', 'rpc-latency'],
  },
  { id: 'rascal', name: 'rascal', file: 'rascal.js', args: [], kind: 'peer' },
  { id: 'bullmq', name: 'BullMQ (Redis)', file: 'bullmq.js', args: [], kind: 'other', without: ONLY_AMQP },
  { id: 'librabbitmq', name: 'librabbitmq (C), ack each', file: 'librabbitmq.js', args: [], kind: 'native' },
  {
    id: 'librabbitmq-batch',
    name: 'librabbitmq (C), batched acks',
    file: 'librabbitmq.js',
    args: ['--ack', 'batch'],
    kind: 'native',
  },
  { id: 'hopline', name: 'hopline', file: 'hopline.js', args: [], kind: 'ours' },
  {
    id: 'hopline-validated',
    name: 'hopline, validated',
    file: 'hopline.js',
    args: ['--validate'],
    kind: 'ours',
  },
  {
    id: 'hopline-metrics',
    name: 'hopline, metrics',
    file: 'hopline.js',
    args: ['--metrics'],
    kind: 'ours',
    only: ['consume-null', 'publish-null'],
  },
];

/** What all ratios are made with. */
export const BASE = 'amqplib';
