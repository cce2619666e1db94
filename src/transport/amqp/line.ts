import { type ChannelModel, connect } from 'amqplib';
import { systemClock } from '../../util/clock.js';
import { formatMs } from '../../util/duration.js';
import type { BrokerAddress, RabbitmqSettings } from './options.js';

/** One open connection of the client library. */
export interface Line {
  readonly model: ChannelModel;
  readonly address: string;
  /** Ends it at once, whatever state it is in, without the broker. May be called again. */
  hangUp(): void;
}

export interface DialOptions extends Pick<RabbitmqSettings, 'heartbeatSeconds' | 'connectDeadlineMs'> {
  /** What an operator sees of it in the broker. */
  readonly connectionName: string;
  /** Gives it up: nothing of it goes on. */
  readonly signal: AbortSignal;
}

/** @throws what the client library or Node.js throws: {@link refusalOf} explains it */
export async function dial(address: BrokerAddress, options: DialOptions): Promise<Line> {
  const { connectDeadlineMs, connectionName, signal } = options;
  // A socket that is destroyed by its signal tells the library so. One that is destroyed without an error doesn't, and the
  // heartbeats of a connection that is no more keep the process alive for three of them.
  const ending = new AbortController();
  const giveUp = () => ending.abort();
  const late = systemClock.setTimer(giveUp, connectDeadlineMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    const model = await connect(urlOf(address, options), {
      ...address.tls,
      credentials: address.credentials,
      // Without it a message of some kilobytes waits for the other side's delayed ACK: 23 ms instead of 1.3 ms.
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: connectionName },
      ...signalOf(ending),
    });
    // What it is closed for comes with its `close`, too; without a listener this would end the process.
    model.on('error', () => {});
    return { model, address: address.name, hangUp: giveUp };
  } catch (error) {
    // The library leaves the socket of some failed handshakes open.
    giveUp();
    if (signal.aborted || (error as Error).name !== 'AbortError') throw error;
    throw new Error(`no connection within ${formatMs(connectDeadlineMs)}`);
  } finally {
    late.cancel();
    signal.removeEventListener('abort', giveUp);
  }
}

/** The library hands the options of a socket on as they are; its types leave this one out. */
const signalOf = ({ signal }: AbortController): object => ({ signal });

function urlOf({ url }: BrokerAddress, { heartbeatSeconds }: DialOptions): string {
  const whole = new URL(url);
  if (!whole.searchParams.get('heartbeat')) whole.searchParams.set('heartbeat', `${heartbeatSeconds}`);
  return whole.href;
}
