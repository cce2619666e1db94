import { connect as connectTcp } from 'node:net';
import { connect } from 'amqplib';

const ANSWER_TIMEOUT_MS = 2_000;
const CONNECT_TIMEOUT_MS = 10_000;

const PROTOCOL_HEADER = Buffer.from('AMQP\x00\x00\x09\x01', 'latin1');
const METHOD_FRAME = 1;

/**
 * Whether a broker on this loopback port answers the protocol header, as AMQP 0-9-1 asks, with `connection.start`.
 * An open port alone says little: the listener accepts before the node can serve.
 */
export function answersAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port, timeout: ANSWER_TIMEOUT_MS });
    const finish = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => socket.write(PROTOCOL_HEADER));
    socket.once('data', (chunk) => finish(chunk[0] === METHOD_FRAME));
    socket.once('timeout', () => finish(false));
    socket.once('error', () => finish(false));
    socket.once('close', () => finish(false));
  });
}

/**
 * Logs in and asks the server for its version.
 *
 * @throws Error that names host and port, never the credentials
 */
export async function serverVersion(url: string): Promise<string> {
  try {
    const client = await connect(url, { timeout: CONNECT_TIMEOUT_MS });
    const { version } = client.connection.serverProperties;
    await client.close();
    return version;
  } catch (cause) {
    const where = URL.canParse(url) ? new URL(url).host : 'what is not a URL';
    // The cause's own text is left out: an invalid URL's error quotes it whole.
    const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : 'unknown';
    throw new Error(`no AMQP login at ${where} (${reason})`);
  }
}
