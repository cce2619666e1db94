import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { connect } from 'amqplib';

const run = promisify(execFile);
const WITHIN_MS = 60_000;
const epochMs = () => performance.timeOrigin + performance.now();

/** In a fresh process, without the process's own start. @param {string} name @param {string} folder  from where it is imported */
export async function importMs(name, folder) {
  const code = `const before = performance.now(); await import('${name}'); console.log(performance.now() - before);`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: folder });
  return Number(stdout);
}

/** From its start to its end. @param {readonly string[]} args */
export async function processMs(args) {
  const before = performance.now();
  await run(process.execPath, [...args]);
  return performance.now() - before;
}

/** Starts services whose queue holds a message, under a prefix of their own in the broker. */
export class FirstMessages {
  /**
   * @param {{ url: string, prefix: string, connection: import('amqplib').ChannelModel,
   *   channel: import('amqplib').ConfirmChannel, server: import('node:net').Server }} parts
   */
  constructor({ url, prefix, connection, channel, server }) {
    this.prefix = prefix;
    this.connection = connection;
    this.channel = channel;
    this.server = server;
    this.env = {
      ...process.env,
      AMQP_URL: url,
      BENCH_PREFIX: prefix,
      BENCH_PORT: String(/** @type {import('node:net').AddressInfo} */ (server.address()).port),
    };
  }

  /**
   * @param {string} url @param {string} prefix
   * @param {import('./install.js').Installed} service  declares what is measured later, as none does it then
   */
  static async open(url, prefix, service) {
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const messages = new FirstMessages({ url, prefix, connection, channel, server });
    const { child, ended } = messages.start(service);
    for await (const line of createInterface({ input: child.stdout }))
      if (line.includes('is ready')) child.kill('SIGTERM');
    await ended;
    return messages;
  }

  /**
   * How long `hopline work` takes until the message that lies in its queue is in the handler.
   *
   * @param {import('./install.js').Installed} service
   */
  async ms(service) {
    await this.publish();
    const handled = once(this.server, 'connection', { signal: AbortSignal.timeout(WITHIN_MS) });
    const before = epochMs();
    const { child, ended } = this.start(service);
    const log = text(child.stdout);
    try {
      const first = await Promise.race([handled, ended]);
      if (child.exitCode !== null) throw new Error(`it ended before it had a message: ${await log}`);
      return Number(await text(first[0])) - before;
    } finally {
      child.kill('SIGTERM');
      await ended;
      handled.catch(() => {});
    }
  }

  /** @param {import('./install.js').Installed} service */
  start({ main, folder }) {
    const child = spawn(process.execPath, [main, 'work', 'app.js'], {
      cwd: folder,
      env: this.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return { child, ended: once(child, 'exit') };
  }

  async publish() {
    const options = { persistent: true, contentType: 'application/json', messageId: randomUUID() };
    this.channel.publish(`${this.prefix}.events`, 'bench.first', Buffer.from('null'), options);
    await this.channel.waitForConfirms();
  }

  /** Takes away what the services have declared. */
  async close() {
    for (const queue of ['first', 'first.dead']) await this.channel.deleteQueue(`${this.prefix}.${queue}`);
    for (const name of ['events', 'dead', 'control'])
      await this.channel.deleteExchange(`${this.prefix}.${name}`);
    await this.connection.close();
    this.server.close();
  }
}
