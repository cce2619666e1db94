import { existsSync } from 'node:fs';
import { delimiter } from 'node:path';
import { printedBy, pythonWith, succeeds } from './programs.js';

type Told = Parameters<typeof printedBy>[2];

export interface AskingTold {
  readonly exchange: string;
  /** Empty for one that the broker names, or that of direct reply-to. */
  readonly replyQueue: string;
  readonly requests: readonly { readonly routingKey: string; readonly payload: unknown }[];
}

export interface AnsweringTold {
  readonly exchange: string;
  readonly routingKey: string;
  readonly queue: string;
  /** It ends with so many requests. Those with a negative amount it says are failures. */
  readonly count: number;
}

/** What other programs ask and answer with, by `replyTo` and `correlationId`. */
export interface RpcClient {
  readonly name: string;
  ask(told: Told & AskingTold): ReturnType<typeof printedBy>;
  answer(told: Told & AnsweringTold, whenReady: () => Promise<void>): ReturnType<typeof printedBy>;
}

const JARS = ['/usr/share/java/amqp-client.jar', '/usr/share/java/slf4j-api.jar'];

async function pika(): Promise<RpcClient | undefined> {
  const python = await pythonWith('pika');
  if (!python) return undefined;
  return {
    name: 'pika',
    ask: (told) => printedBy('request-with-pika.py', [python], told),
    answer: (told, whenReady) => printedBy('reply-with-pika.py', [python], told, whenReady),
  };
}

/** It runs programs from their source: needs a JDK. */
async function java(): Promise<RpcClient | undefined> {
  if (!JARS.every((jar) => existsSync(jar)) || !(await succeeds('javac', '-version'))) return undefined;
  const command = ['java', '-classpath', JARS.join(delimiter)];
  return {
    name: "RabbitMQ's Java client",
    ask: (told) => printedBy('request-with-java.java', command, told),
    answer: (told, whenReady) => printedBy('reply-with-java.java', command, told, whenReady),
  };
}

const CLIENTS = [
  ['pika', 'python3-pika', pika],
  ["RabbitMQ's Java client", 'librabbitmq-client-java and default-jdk-headless', java],
] as const;

/** Those that are on this machine. Each other one is named in a line on standard error. */
export async function installedRpcClients(): Promise<readonly RpcClient[]> {
  const looked = await Promise.all(
    CLIENTS.map(async ([name, packages, find]) => {
      const client = await find();
      if (!client)
        process.stderr.write(`skipped: requests of ${name}, which is not installed: ${packages}\n`);
      return client;
    }),
  );
  return looked.filter((client) => client !== undefined);
}
