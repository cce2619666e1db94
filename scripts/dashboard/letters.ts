import { connect } from 'amqplib';
import { HEADER } from '../../src/message/headers.js';

/** Dead letters to be made: spread evenly over queues and kinds of failures. */
export interface LettersToMake {
  readonly url: string;
  readonly exchange: string;
  /** Those that failed; their dead-letter queues exist. */
  readonly queues: readonly string[];
  readonly count: number;
  /** Of different failures. */
  readonly kinds: number;
  readonly bodyBytes: number;
}

/** Confirms are awaited after so many. */
const AT_ONCE = 500;

const CLASSES = ['TypeError', 'RangeError', 'TimeoutError', 'HttpError', 'DatabaseError', 'ParseError'];

/** Puts dead letters as Hopline writes them into the queues' dead-letter queues, the oldest a day ago, each confirmed. */
export async function makeLetters({
  url,
  exchange,
  queues,
  count,
  kinds,
  bodyBytes,
}: LettersToMake): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const filler = 'x'.repeat(bodyBytes);
    const dayAgo = Date.now() - 86_400_000;
    for (let place = 0; place < count; place += 1) {
      const kind = place % kinds;
      const queue = queues[kind % queues.length] as string;
      const failedAt = new Date(dayAgo + (place / count) * 86_400_000);
      const body = JSON.stringify({ order: place, customer: `customer-${place}@example.org`, filler }).slice(
        0,
        bodyBytes - 2,
      );
      channel.sendToQueue(`${queue}.dead`, Buffer.from(`${body}"}`), {
        persistent: true,
        contentType: 'application/json',
        messageId: `letter-${place}`,
        headers: headersOf({ kind, place, queue, exchange, failedAt }),
      });
      if (place % AT_ONCE === AT_ONCE - 1) await channel.waitForConfirms();
    }
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}

interface Failure {
  readonly kind: number;
  readonly place: number;
  readonly queue: string;
  readonly exchange: string;
  readonly failedAt: Date;
}

function headersOf({ kind, place, queue, exchange, failedAt }: Failure): Readonly<Record<string, unknown>> {
  const error = `${CLASSES[kind % CLASSES.length]}: ${nounOf(kind)} ${place} answered after ${place % 900} ms`;
  return {
    [HEADER.queue]: queue,
    [HEADER.exchange]: exchange,
    [HEADER.routingKey]: `work.${queue.slice(-2)}`,
    [HEADER.reason]: 'exhausted',
    [HEADER.attempt]: 5,
    [HEADER.exceptions]: 5,
    [HEADER.firstAttemptAt]: new Date(failedAt.getTime() - 80_000).toISOString(),
    [HEADER.failedAt]: failedAt.toISOString(),
    [HEADER.error]: error,
    [HEADER.stack]: `${error}\n    at step${nounOf(kind)} (file:///srv/app/dist/services/step-${nounOf(kind)}.js:${place % 300}:7)`,
  };
}

/** A word without digits, one for each kind. */
const nounOf = (kind: number): string =>
  String.fromCharCode(97 + (kind % 26)) +
  String.fromCharCode(97 + Math.floor(kind / 26)) +
  String.fromCharCode(97 + (kind % 7));
