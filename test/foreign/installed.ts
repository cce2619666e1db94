import {
  amqpTools,
  bunny,
  celery,
  type ForeignClient,
  go,
  mojo,
  mosquitto,
  mqtt,
  phpAmqp,
  pika,
  rhea,
  stomp,
} from './clients.js';

const ALL = [pika, celery, bunny, phpAmqp, amqpTools, go, mojo, mosquitto, mqtt, stomp, rhea];

let looked: Promise<readonly ForeignClient[]> | undefined;

/** The clients that are on this machine. Each other one is named in a line on standard error, once. */
export function installed(): Promise<readonly ForeignClient[]> {
  looked ??= look();
  return looked;
}

async function look(): Promise<readonly ForeignClient[]> {
  const are = await Promise.all(ALL.map((client) => client.isInstalled()));
  for (const [index, client] of ALL.entries())
    if (!are[index])
      process.stderr.write(`skipped: ${client.name}, which is not installed: ${client.package}\n`);
  return ALL.filter((_client, index) => are[index]);
}
