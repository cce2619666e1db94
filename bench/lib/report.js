import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { unitOf } from '../scenarios.js';
import { plotOf } from './page.js';
import { specialsTable } from './specials.js';
import { numberText, scenarioTable } from './tables.js';
import { verdictTable } from './verdict.js';

/**
 * All tables of a run as Markdown.
 *
 * @param {readonly import('./collect.js').Outcome[]} outcomes
 * @param {import('./specials.js').Specials} specials
 * @param {{ brokers: readonly string[], plots: boolean, whole: boolean }} about
 */
export function reportOf(outcomes, specials, { brokers, plots, whole }) {
  return [
    machineLine(brokers),
    '### What was to be reached',
    verdictTable(outcomes, specials, { unmeasured: whole }),
    ...outcomes.flatMap((outcome) => [
      `### ${outcome.scenario.title}`,
      `${outcome.repeats} × ${numberText(outcome.n)} ${unitOf(outcome.scenario)}; median (least–most).`,
      scenarioTable(outcome),
      ...(plots ? [`![${outcome.scenario.title}](${plotOf(outcome)})`] : []),
    ]),
    ...(Object.keys(specials).length > 0 ? ['### Hopline alone', specialsTable(specials)] : []),
  ].join('\n\n');
}

/** @param {readonly string[]} brokers */
function machineLine(brokers) {
  const [cpu] = cpus();
  const model = cpu?.model.trim() || cpuModel();
  return `Node.js ${process.versions.node}; ${brokers.join('; ')}; ${availableParallelism()} cores${model ? `, ${model}` : ''}.`;
}

/** Where the runtime doesn't know it. */
function cpuModel() {
  try {
    return /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '';
  } catch {
    return '';
  }
}
