import { parseArgs } from 'node:util';
import { startNull, startReal, startRedis } from './lib/brokers.js';
import { collect } from './lib/collect.js';
import { writePage, writePlots } from './lib/page.js';
import { reportOf } from './lib/report.js';
import { runSpecial, SPECIALS } from './lib/specials.js';
import { PEERS } from './peers.js';
import { areRequests, QUICK_PEERS, SCENARIOS } from './scenarios.js';
import { benchSecond } from './second/main.js';
import { benchStart } from './start/main.js';

/**
 * `npm run bench`: all scenarios and peers, printed, and written to docs/performance.md unless only some are asked for. Those of requests
 * are written if all of them are: `npm run bench -- --only rpc,rpc-latency`.
 * `npm run bench -- start`: what the package weighs, see start/main.js.
 * `npm run bench -- second`: what features cost, see second/main.js.
 */

/** @typedef {import('./lib/brokers.js').Running} Running */

if (process.argv[2] === 'start') process.exit(await benchStart(process.argv.slice(3)));
if (process.argv[2] === 'second') process.exit(await benchSecond(process.argv.slice(3)));

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    peers: { type: 'string' },
    repeats: { type: 'string' },
    url: { type: 'string' },
    redis: { type: 'string' },
  },
});
const { quick } = values;
const say = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);

const wanted = values.only?.split(',');
const known = [...SCENARIOS.map(({ id }) => id), ...Object.keys(SPECIALS)];
const unknown = wanted?.find((name) => !known.includes(name));
if (unknown) throw new Error(`no scenario '${unknown}'; there are ${known.join(', ')}`);
const isWanted = (/** @type {string} */ name) => !wanted || wanted.includes(name);

/** @param {import('./scenarios.js').Scenario & { without?: readonly string[] }} scenario */
function peersOf(scenario) {
  const named =
    values.peers?.split(',') ??
    (quick && scenario.broker === 'real' ? (scenario.peers ?? QUICK_PEERS) : undefined);
  return PEERS.filter(
    ({ id, only, without = [] }) =>
      (!named || named.includes(id)) &&
      (!scenario.peers || scenario.peers.includes(id)) &&
      !scenario.without?.includes(id) &&
      (!only || only.includes(scenario.id)) &&
      !without.includes(scenario.id),
  );
}

const scenarios = SCENARIOS.filter((scenario) => isWanted(scenario.id) && peersOf(scenario).length > 0);
const specialNames = Object.keys(SPECIALS).filter(isWanted);
const needs = (/** @type {string} */ broker) =>
  scenarios.some((scenario) => scenario.broker === broker) ||
  specialNames.some((name) => SPECIALS[name].broker === broker);

/** @type {Running[]} */
const started = [];
/** @template {Running | undefined} T @param {Promise<T>} starting */
async function keep(starting) {
  const running = await starting;
  if (running) started.push(running);
  return running;
}

try {
  const usesRedis = scenarios.some((scenario) => peersOf(scenario).some(({ id }) => id === 'bullmq'));
  const brokers = {
    null: needs('null') ? await keep(startNull()) : undefined,
    real: needs('real') ? await keep(startReal(values.url)) : undefined,
    redis: usesRedis ? await keep(startRedis(values.redis)) : undefined,
  };
  const outcomes = [];
  for (const scenario of scenarios) {
    const size = quick ? scenario.quick : scenario.full;
    outcomes.push(
      await collect(scenario, {
        peers: peersOf(scenario),
        size: values.repeats ? { ...size, repeats: Number(values.repeats) } : size,
        brokerArgs: ({ id }) => brokerArgs(id === 'bullmq' ? brokers.redis : brokers[scenario.broker], id),
        say,
      }),
    );
  }
  /** @type {import('./lib/specials.js').Specials} */
  const specials = {};
  for (const name of specialNames) {
    const { broker } = SPECIALS[name];
    const url = broker && brokers[broker]?.url;
    Object.assign(specials, { [name]: await runSpecial(name, { quick, url, say }) });
  }
  const requests = outcomes.filter(({ scenario }) => areRequests(scenario));
  const messages = outcomes.filter(({ scenario }) => !areRequests(scenario));
  if (messages.length > 0 || specialNames.length > 0)
    report({ outcomes: messages, specials, isWhole: !wanted });
  if (requests.length > 0) {
    const isWhole = requests.length === SCENARIOS.filter(areRequests).length;
    report({ outcomes: requests, specials: {}, isWhole, mark: 'bench of requests' });
  }
} finally {
  for (const broker of started) await broker.stop();
}

/**
 * @param {{
 *   outcomes: import('./lib/collect.js').Outcome[],
 *   specials: import('./lib/specials.js').Specials,
 *   isWhole: boolean,
 *   mark?: import('./lib/page.js').Mark,
 * }} made
 */
function report({ outcomes, specials, isWhole, mark }) {
  const writes = isWhole && !quick && !values.peers;
  const tables = reportOf(outcomes, specials, {
    brokers: started.map(({ about }) => about),
    plots: writes,
    whole: isWhole && !mark,
  });
  process.stdout.write(`${tables}\n`);
  if (!writes) return;
  writePlots(outcomes);
  writePage(tables, mark);
}

/** @param {Running | undefined} broker @param {string} peer */
function brokerArgs(broker, peer) {
  if (!broker) return undefined;
  const pid = broker.pid ? ['--broker-pid', String(broker.pid)] : [];
  return [peer === 'bullmq' ? '--redis' : '--url', broker.url, ...pid];
}
