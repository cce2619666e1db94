import type { ForeignBroker } from './broker.js';
import { hasGoPackage, hasNpmPackage, pythonWith, run, runProgram, succeeds } from './programs.js';

/** Where a client is to send its messages. */
export interface Target extends ForeignBroker {
  readonly exchange: string;
  /** Begins each routing key: a word without dots. Then comes `json` or `bytes`, then the message's own name. */
  readonly keys: string;
}

/** What other programs publish with. */
export interface ForeignClient {
  readonly name: string;
  /** What is to be installed, if it isn't here. */
  readonly package: string;
  /** How many messages it sends of which kind. */
  messages(broker: ForeignBroker): Readonly<Record<Kind, number>>;
  /** Where they go. */
  readonly exchange: 'events' | 'amq.topic';
  isInstalled(): Promise<boolean>;
  send(target: Target): Promise<void>;
}

/** `json` is JSON, whatever its content type says; `bytes` is anything else. */
export type Kind = 'json' | 'bytes';

const always = (json: number, bytes: number) => () => ({ json, bytes });

export const pika: ForeignClient = {
  name: 'pika (Python)',
  package: 'python3-pika',
  exchange: 'events',
  messages: always(12, 3),
  isInstalled: async () => (await pythonWith('pika')) !== undefined,
  send: async (target) => runProgram('send-with-pika.py', [(await pythonWith('pika')) ?? ''], target),
};

export const bunny: ForeignClient = {
  name: 'bunny (Ruby)',
  package: 'ruby-bunny',
  exchange: 'events',
  messages: always(10, 2),
  isInstalled: () => succeeds('ruby', '-e', 'require "bunny"'),
  send: (target) => runProgram('send-with-bunny.rb', ['ruby'], target),
};

export const phpAmqp: ForeignClient = {
  name: 'php-amqp',
  package: 'php-amqp and php-cli',
  exchange: 'events',
  messages: always(10, 2),
  isInstalled: () => succeeds('php', '-r', 'exit(extension_loaded("amqp") ? 0 : 1);'),
  send: (target) => runProgram('send-with-php-amqp.php', ['php'], target),
};

export const amqpTools: ForeignClient = {
  name: 'amqp-publish (C)',
  package: 'amqp-tools',
  exchange: 'events',
  messages: always(2, 2),
  isInstalled: () => succeeds('amqp-publish', '--help'),
  async send({ node, exchange, keys }) {
    const publish = (key: string, ...args: string[]) =>
      run('amqp-publish', [
        '--url',
        node.url,
        '--exchange',
        exchange,
        '--routing-key',
        `${keys}.${key}`,
        ...args,
      ]);
    await publish('json.plain', '--body', '{"case":"plain"}');
    await publish(
      'json.properties',
      ...[
        '--content-type',
        'application/json',
        '--content-encoding',
        'utf-8',
        '--reply-to',
        'answers',
        '--persistent',
      ],
      ...['--header', 'number: 5', '--header', 'umlauts: grüße', '--body', '{"case":"properties"}'],
    );
    await publish('bytes.text', '--content-type', 'text/plain', '--body', 'ON');
    await publish('bytes.empty', '--body', '');
  },
};

export const go: ForeignClient = {
  name: 'amqp091-go (Go)',
  package: 'golang-go and golang-github-rabbitmq-amqp091-go-dev',
  exchange: 'events',
  messages: always(10, 2),
  isInstalled: async () =>
    hasGoPackage('github.com/rabbitmq/amqp091-go') && (await succeeds('go', 'version')),
  send: (target) => runProgram('send-with-go.go', ['go', 'run'], target),
};

export const mojo: ForeignClient = {
  name: 'Mojo (Perl)',
  package: 'libmojo-rabbitmq-client-perl',
  exchange: 'events',
  messages: always(5, 1),
  isInstalled: () => succeeds('perl', '-MMojo::RabbitMQ::Client', '-e1'),
  send: (target) => runProgram('send-with-mojo.pl', ['perl'], target),
};

export const celery: ForeignClient = {
  name: 'Celery (Python)',
  package: 'python3-celery',
  exchange: 'events',
  messages: always(7, 1),
  isInstalled: async () => (await pythonWith('celery')) !== undefined,
  send: async (target) => runProgram('send-with-celery.py', [(await pythonWith('celery')) ?? ''], target),
};

export const stomp: ForeignClient = {
  name: 'stomp.py (STOMP 1.2)',
  package: 'python3-stomp',
  exchange: 'events',
  messages: always(4, 2),
  isInstalled: async () => (await pythonWith('stomp')) !== undefined,
  send: async (target) => runProgram('send-with-stomp.py', [(await pythonWith('stomp')) ?? ''], target),
};

export const mosquitto: ForeignClient = {
  name: 'mosquitto_pub (MQTT 3.1.1)',
  package: 'mosquitto-clients',
  exchange: 'amq.topic',
  messages: always(4, 2),
  isInstalled: async () =>
    (await run('mosquitto_pub', ['--version']).catch((error) => error)).code !== 'ENOENT',
  async send({ host, mqttPort, keys }) {
    const login = ['-h', host, '-p', String(mqttPort), '-u', 'guest', '-P', 'guest', '-V', 'mqttv311'];
    const publish = (topic: string, ...args: string[]) =>
      run('mosquitto_pub', [...login, '-t', `${keys}/${topic}`, ...args]);
    await publish('json/plain', '-q', '1', '-m', '{"case":"plain"}');
    await publish('json/qos-0', '-q', '0', '-m', '{"case":"qos-0"}');
    await publish('json/retained', '-q', '1', '-r', '-m', '{"case":"retained"}');
    await publish('json/with space//and empty level', '-q', '1', '-m', '{"case":"with space"}');
    await publish('bytes/word', '-q', '1', '-m', 'ON');
    await publish('bytes/empty', '-q', '1', '-n');
  },
};

const npmPackage = (name: string) => ({
  package: `${name} (node bench/install.js test/foreign/clients)`,
  isInstalled: async () => hasNpmPackage(name),
});

export const mqtt: ForeignClient = {
  name: 'mqtt (MQTT 5, on 3.10 3.1.1)',
  ...npmPackage('mqtt'),
  exchange: 'amq.topic',
  messages: ({ isOld }) => ({ json: isOld ? 4 : 10, bytes: 2 }),
  send: (target) => runProgram('send-with-mqtt.js', [process.execPath], target),
};

export const rhea: ForeignClient = {
  name: 'rhea (AMQP 1.0)',
  ...npmPackage('rhea'),
  exchange: 'events',
  messages: always(6, 3),
  send: (target) => runProgram('send-with-rhea.js', [process.execPath], target),
};
