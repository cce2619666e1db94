import { BusFixture } from '../support/bus-fixture.js';
import { shareOf } from '../support/share.js';
import type { Capabilities, TransportHarness } from '../support/transport-harness.js';
import { bodies } from './bodies.js';
import { brokenConnections } from './broken-connections.js';
import { bulk } from './bulk.js';
import { canaries } from './canary.js';
import { chains } from './chains.js';
import { changingLimits } from './changing-limits.js';
import { circuitBreakers } from './circuit-breakers.js';
import { cloudEventsTheme } from './cloud-events.js';
import { concurrency } from './concurrency.js';
import { consumeMiddleware } from './consume-middleware.js';
import { consuming } from './consuming.js';
import { contexts } from './contexts.js';
import { controlling } from './controlling.js';
import { crashWatching } from './crash-watching.js';
import { deadLetters } from './dead-letters.js';
import { decorated } from './decorated.js';
import { delays } from './delays.js';
import { destinations } from './destinations.js';
import { encrypted } from './encryption.js';
import { endings } from './endings.js';
import { exchangeTypes } from './exchange-types.js';
import { exchangesOfAQueue } from './exchanges-of-a-queue.js';
import { failureGroups } from './failure-groups.js';
import { failureLog } from './failure-log.js';
import { failures } from './failures.js';
import { foreignLetters } from './foreign-letters.js';
import { health } from './health.js';
import { idempotence } from './idempotence.js';
import { inboxAttempts } from './inbox-attempts.js';
import { jobBatches } from './job-batches.js';
import { jobBatchesAgain } from './job-batches-again.js';
import { jobs } from './jobs.js';
import { keptDocuments } from './kept-documents.js';
import { laneServing } from './lane-serving.js';
import { lanes } from './lanes.js';
import { lifecycle } from './lifecycle.js';
import { listening } from './listening.js';
import { locks } from './locks.js';
import { longJobs } from './long-jobs.js';
import { looking } from './looking.js';
import { messages } from './messages.js';
import { moving } from './moving.js';
import { once } from './once.js';
import { oneAtATime } from './one-at-a-time.js';
import { operating } from './operating.js';
import { operationsBesideOthers } from './operations-beside-others.js';
import { orderly } from './orderly.js';
import { packs } from './packs.js';
import { pausing } from './pausing.js';
import { priorities, priorityQueues } from './priorities.js';
import { eachProcess } from './process-copies.js';
import { publishMiddleware } from './publish-middleware.js';
import { publishesAfter } from './publishes-after.js';
import { publishesAfterInjected } from './publishes-after-injected.js';
import { publishing } from './publishing.js';
import { queuesOfOthers } from './queues-of-others.js';
import { rateLimits } from './rate-limits.js';
import { reading } from './reading.js';
import { receipts } from './receipts.js';
import { replays } from './replays.js';
import { replying } from './replying.js';
import { requesting } from './requesting.js';
import { requestingMany } from './requesting-many.js';
import { resuming } from './resuming.js';
import { retries } from './retries.js';
import { routing } from './routing.js';
import { sendingToQueues } from './sending-to-queues.js';
import { serving } from './serving.js';
import { settling } from './settling.js';
import { singleActive } from './single-active.js';
import { stopping } from './stopping.js';
import { telling } from './telling.js';
import type { Test, Theme } from './theme.js';
import { topology } from './topology.js';
import { tracing } from './tracing.js';
import { tracingChannels } from './tracing-channels.js';
import { transactions } from './transactions.js';
import { trash } from './trash.js';
import { typedExchanges } from './typed-exchanges.js';
import { unchanged } from './unchanged.js';
import { unique } from './unique.js';
import { workload } from './workload.js';

/** The port: a session, without a bus above it. */
const port: Readonly<Record<string, Theme>> = {
  publishing,
  'where messages go': destinations,
  consuming,
  'looking at queues': looking,
  'listening, and what all can see': listening,
  'what operators share': keptDocuments,
  settling,
  'declaring a topology': topology,
  'queues with priorities': priorityQueues,
};

/** What a service sees. */
const bus: Readonly<Record<string, Theme>> = {
  routing,
  'handlers of one queue on several exchanges': exchangesOfAQueue,
  'exchanges of all types': exchangeTypes,
  'what goes by exchanges of all types': typedExchanges,
  'messages that are sent to a queue': sendingToQueues,
  'queues that belong to others': queuesOfOthers,
  'queues with a single active consumer': singleActive,
  'messages and their context': messages,
  'bodies of any origin': bodies,
  'how bodies are read': reading,
  'what travels on, unchanged': unchanged,
  'decorated handlers': decorated,
  'handlers at once': concurrency,
  'consume middleware': consumeMiddleware,
  CloudEvents: cloudEventsTheme,
  'async contexts': contexts,
  'traces of OpenTelemetry': tracing,
  'diagnostics channels': tracingChannels,
  lanes,
  'lanes, and who goes first': laneServing,
  'what of its queues a process consumes': serving,
  priorities,
  'responders, and their replies': replying,
  'handlers that fail': failures,
  'the log of failures': failureLog,
  'what ends each delivery': endings,
  'retries and releases': retries,
  'what publishes resolve to': receipts,
  'publish middleware': publishMiddleware,
  'requests, as who asks sees them': requesting,
  'requests to many': requestingMany,
  'publishes after the attempt': publishesAfter,
  'publishes after the attempt, of an injected publisher': publishesAfterInjected,
  'rate limits': rateLimits,
  'limits that change while handlers run': changingLimits,
  'one at a time, over all processes': oneAtATime,
  'circuit breakers': circuitBreakers,
  'what goes back orderly': orderly,
  'idempotent handlers': idempotence,
  'outbox and inbox': transactions,
  'attempts with an inbox': inboxAttempts,
  'parts that are done once': once,
  'resumable handlers': resuming,
  'unique messages': unique,
  locks,
  'jobs that are tracked, taken back and moved': jobs,
  'dead letters': deadLetters,
  delays,
  packs,
  'handlers of many': bulk,
  chains,
  'batches of jobs': jobBatches,
  'batches of jobs, again': jobBatchesAgain,
  'encrypted messages': encrypted,
  'copies for each process': eachProcess,
  'dead letters, looked at and replayed': operating,
  'dead letters in groups': failureGroups,
  'operations on dead letters, and canaries': canaries,
  'operations beside others': operationsBesideOthers,
  'replays that are watched': replays,
  'dead letters of others': foreignLetters,
  'dead letters that are forgotten, or edited': trash,
  'messages that move to another queue': moving,
  'starting, and its errors': lifecycle,
  'stopping, and starting again': stopping,
  'messages that may have killed their process': crashWatching,
  'jobs that take long': longJobs,
  'broken connections': brokenConnections,
  'what operators say': controlling,
  'what workers tell of single messages': telling,
  'queues that operators pause': pausing,
  'what there is to do': workload,
  'health, and its reasons': health,
};

/**
 * What a transport must do, below a bus and through one: one suite, which every transport passes.
 *
 * @param makeHarness called for each test
 * @param capabilities what may differ, with the reasons at {@link Capabilities}; no test is skipped for them: where a
 *   transport can't do something, another test says what happens instead
 * @param share of the themes, such as `2/3`, if several processes run them beside each other; all without one
 */
export function transportContract(
  name: string,
  makeHarness: () => TransportHarness,
  capabilities: Capabilities,
  share?: string,
): void {
  const test: Test = (title, body) => it(title, () => inFixture(new BusFixture(makeHarness()), body));
  const suites = { [`${name}, as a transport`]: port, [`A bus on ${name}`]: bus };

  for (const [suite, themes] of Object.entries(suites))
    describe(suite, () => {
      for (const [title, theme] of shareOf(Object.entries(themes), share))
        describe(title, () => theme(test, capabilities));
    });
}

/** Not in `afterEach`: what one test leaves behind is that test's failure, and no reason to run no others. */
async function inFixture(fixture: BusFixture, body: (fixture: BusFixture) => Promise<void>): Promise<void> {
  try {
    await body(fixture);
  } catch (error) {
    await fixture.end().catch(() => {}); // after a failure something is always left
    throw error;
  }
  await fixture.end();
}
