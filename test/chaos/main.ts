import { readFile, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { passed, recorded, report } from './report.js';
import { runChaos } from './run.js';

/*
 * `npm run chaos -- --minutes N --seed S`: traffic through publish, retry and dead-letter paths on a cluster of its own,
 * while a schedule drawn from the seed kills what can be killed; then a quiet period, and the account of every message.
 */

const HELP = `usage: npm run chaos -- [--minutes N] [--seed S] [--nodes N] [--rate N] [--record FILE]

  --minutes N    how long faults are staged (2)
  --seed S       what is staged: the same seed, the same schedule (a random one, printed)
  --nodes N      of the cluster: 1 or 3 (3)
  --rate N       messages a second (60)
  --record FILE  put the figures into this page, if nothing was wrong

BROKER_VERSION says which RabbitMQ: 3.10, 4.0 or 4.3.`;

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (!(Number.isFinite(number) && number > 0))
    throw new Error(`expected --${name} to be a number above 0, got '${text}'`);
  return number;
}

function optionsOf(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000) + 1) },
      nodes: { type: 'string', default: '3' },
      rate: { type: 'string', default: '60' },
      record: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    record: values.record,
    minutes: numberOf('minutes', values.minutes),
    seed: numberOf('seed', values.seed),
    nodes: numberOf('nodes', values.nodes),
    rate: numberOf('rate', values.rate),
  };
}

async function main(): Promise<number> {
  const { help, record, ...options } = optionsOf(process.argv.slice(2));
  if (help) {
    console.log(HELP);
    return 0;
  }
  const { minutes, seed, nodes } = options;
  console.log(`chaos: ${minutes} min, seed ${seed}, ${nodes} nodes`);
  const result = await runChaos({ ...options, tell: (line) => console.log(line) });
  console.log(report(result));
  if (!passed(result)) {
    console.log(`again: npm run chaos -- --minutes ${minutes} --seed ${seed} --nodes ${nodes}`);
    return 1;
  }
  await rm(result.folder, { recursive: true });
  if (record) {
    const date = new Date().toISOString().slice(0, 10);
    await writeFile(record, recorded(await readFile(record, 'utf8'), result, { minutes, seed, nodes, date }));
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error((error as Error).message, HELP);
  process.exitCode = 2;
}
