import { type ChannelModel, connect } from 'amqplib';
import { systemClock } from '../../../util/clock.js';
import { formatMs } from '../../../util/duration.js';
import type { BrokerAddress, RabbitmqSettings } from '../options.js';

/** One open connection of the client library. */
export interface Line {
  readonly model: ChannelModel;
  readonly address: string;
  /** Destroys it at once, in any state, without the broker. May be called again. */
  hangUp(): void;
}

export interface DialOptions extends Pick<RabbitmqSettings, 'heartbeatSeconds' | 'connectDeadlineMs'> {
  /** Name that operators see in the broker. */
  readonly connectionName: string;
  /** Aborts the connecting. */
  readonly signal: AbortSignal;
}

/** @throws the error of the client library or Node.js, which {@link refusalOf} explains */
export async function dial(address: BrokerAddress, options: DialOptions): Promise<Line> {
  const { connectDeadlineMs, connectionName, signal } = options;
  // A socket that its signal destroys reports an error to the library. A socket destroyed without an error
  // doesn't, and the heartbeats of the dead connection would keep the process alive for three of them.
  const ending = new AbortController();
  const giveUp = () => ending.abort();
  const late = systemClock.setTimer(giveUp, connectDeadlineMs);
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp();
  try {
    const model = await connect(urlOf(address, options), {
      ...address.tls,
      credentials: address.credentials,
      // With Nagle's algorithm a message of some kilobytes waits for the other side's delayed ACK: 23 ms
      // instead of 1.3 ms.
      noDelay: true,
      keepAlive: true,
      clientProperties: { connection_name: connectionName },
      ...signalOf(ending),
    });
    // `close` reports the reason as well; without a listener this event would end the process.
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

/** The library passes on socket options that its types don't list. */
const signalOf = ({ signal }: AbortController): object => ({ signal });

function urlOf({ url }: BrokerAddress, { heartbeatSeconds }: DialOptions): string {
  const whole = new URL(url);
  if (!whole.searchParams.get('heartbeat')) whole.searchParams.set('heartbeat', `${heartbeatSeconds}`);
  return whole.href;
}
