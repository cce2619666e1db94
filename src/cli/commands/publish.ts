import { text as readAll } from 'node:stream/consumers';
import { Bus } from '../../bus.js';
import type { PublishOptions } from '../../message/publish-options.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { type Duration, isDuration } from '../../util/duration.js';
import { silentLogger } from '../../util/logger.js';
import { type BrokerFlags, brokerOf, withBroker } from '../broker/broker.js';
import { collect } from '../broker/target.js';
import type { DefineCommand } from '../command.js';
import type { Terminal } from '../output/terminal.js';
import { UsageError } from '../usage-error.js';

interface Flags extends BrokerFlags {
  readonly send?: boolean;
  readonly delay?: string;
  readonly exchange?: string;
  readonly header?: readonly string[];
  readonly id?: string;
  readonly prefix?: string;
  readonly delayPrefix?: string;
}

/**
 * `hopline publish KEY [JSON|-]`: publishes one message and waits for its confirm. Declares nothing:
 * exchanges belong to their services.
 */
export const define: DefineCommand = (command, { terminal }) => {
  command
    .argument('<key>', 'its routing key')
    .argument('[json]', 'its payload; - reads it from standard input', 'null');
  withBroker(command)
    .option('--send', 'fail if no queue takes the message')
    .option('--delay <duration>', 'time until the message is due: 30s, 5m, 7d')
    .option('--exchange <name>', 'exchange to publish to; else <prefix>.events')
    .option('--header <name=value>', 'a header; may be repeated', collect)
    .option('--id <id>', 'messageId of the message; else a new one')
    .option('--prefix <name>', "the application's prefix")
    .option('--delay-prefix <name>', "the application's delayPrefix")
    .action(async (key: string, json: string, flags: Flags) => {
      const broker = brokerOf(flags, terminal.env);
      const options = optionsOf(flags);
      const payload = await payloadOf(json, terminal);
      const bus = new Bus({
        service: 'hopline-cli',
        transport: rabbitmq(broker.options),
        ...(flags.prefix === undefined ? {} : { prefix: flags.prefix }),
        ...(flags.delayPrefix === undefined ? {} : { delayPrefix: flags.delayPrefix }),
        topology: 'none',
        startDeadline: '5s',
        log: silentLogger,
      });
      await bus.start();
      try {
        const { messageId } = await bus[flags.send ? 'send' : 'publish'](key, payload, options);
        terminal.print(`${messageId} confirmed, on ${broker.name}`);
      } finally {
        await bus.stop();
      }
    });
};

function optionsOf({ delay, exchange, header, id }: Flags): PublishOptions {
  if (delay !== undefined && !isDuration(delay))
    throw new UsageError(`--delay is no duration: '${delay}'`, 'Write it as 30s, 5m or 7d, 400d at most');
  const headers = (header ?? []).map((each) => {
    const at = each.indexOf('=');
    if (at < 1) throw new UsageError(`--header is '${each}'`, 'Write it as name=value');
    return [each.slice(0, at), each.slice(at + 1)] as const;
  });
  return {
    ...(delay === undefined ? {} : { delay: delay as Duration }),
    ...(exchange === undefined ? {} : { exchange }),
    ...(headers.length > 0 ? { headers: Object.fromEntries(headers) } : {}),
    ...(id === undefined ? {} : { messageId: id }),
  };
}

async function payloadOf(json: string, { stdin }: Terminal): Promise<unknown> {
  const given = json === '-' ? await readAll(stdin) : json;
  try {
    return JSON.parse(given);
  } catch (error) {
    throw new UsageError(
      `the payload is no JSON: ${(error as Error).message}`,
      `A text is written with its quotes: '"hello"'`,
    );
  }
}
