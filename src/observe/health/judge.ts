import type { BusHealth, ConnectionHealth, ConsumerHealth, HealthError } from './bus-health.js';

/** Half a heartbeat interval: a loop that is blocked for two intervals loses its connections. */
const LAG_LIMIT_MS = 5_000;

/** Facts that the decision is made from. */
export type HealthFacts = Omit<BusHealth, 'live' | 'ready' | 'reasons'>;

/** The table at {@link BusHealth}, as code. */
export function judge(facts: HealthFacts): BusHealth {
  const reasons = reasonsOf(facts);
  return { ...facts, live: facts.state !== 'stopped', ready: reasons.length === 0, reasons };
}

function reasonsOf(facts: HealthFacts): string[] {
  switch (facts.state) {
    case 'new':
      return [facts.startError ? `start() failed: ${causeText(facts.startError)}` : 'the bus is not started'];
    case 'starting':
      return ['the bus is starting', ...facts.connections.flatMap(ofConnection)];
    case 'started':
      return [
        ...facts.connections.flatMap(ofConnection),
        ...(canConsume(facts) ? facts.consumers.flatMap(ofConsumer) : []),
        ...ofLag(facts),
      ];
    case 'stopping':
      return ['the bus is stopping'];
    case 'stopped':
      return ['the bus is stopped, and does not start again'];
  }
}

function ofConnection({ connection, state, since, address, reason, error }: ConnectionHealth): string[] {
  const which = `the ${connection === 'publish' ? 'publishing' : 'consuming'} connection`;
  switch (state) {
    case 'up':
      return [];
    case 'connecting':
      return [`${which} is not open yet`];
    case 'blocked':
      return [`${which} to ${address} has been blocked by the broker since ${since}: ${reason}`];
    case 'stalled':
      return [
        `the broker has confirmed nothing on ${which} to ${address} since ${since}: its node may be cut off from the others`,
      ];
    case 'down':
      return [`${which} to ${address} has been down since ${since}: ${causeText(error)}`];
    case 'refused':
      return [`${which} to ${address} has been refused by the broker since ${since}: ${causeText(error)}`];
  }
}

/** Without a connection no queue has a consumer: that is one reason, not one per queue. */
function canConsume({ connections }: HealthFacts): boolean {
  return connections.some(
    ({ connection, state }) => connection === 'consume' && (state === 'up' || state === 'blocked'),
  );
}

function ofConsumer({ queue, state, since, error }: ConsumerHealth): string[] {
  switch (state) {
    case 'consuming':
    case 'paused':
    case 'suspected':
      return [];
    case 'guilty':
      return [`queue '${queue}' has stood still since ${since}: ${causeText(error)}`];
    case 'held':
      return [
        `queue '${queue}' has stood still since ${since}, as a retry or dead letter can't be published: ${causeText(error)}`,
      ];
    case 'lost':
      return [`queue '${queue}' has not been consumed since ${since}: ${causeText(error)}`];
    case 'failed':
      return [`queue '${queue}' has not been consumed since ${since}, and can't be: ${causeText(error)}`];
  }
}

function ofLag({ eventLoop }: HealthFacts): string[] {
  if (!eventLoop || eventLoop.lagMs <= LAG_LIMIT_MS) return [];
  return [`the event loop was blocked for ${(eventLoop.lagMs / 1_000).toFixed(1)} s within the last ten`];
}

function causeText(error: HealthError | undefined): string {
  if (!error) return 'no reason is known';
  return error.help ? `${error.message} (${error.help})` : error.message;
}
