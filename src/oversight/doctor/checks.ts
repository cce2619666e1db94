import { lettersText } from '../../failures/letters/letters-text.js';
import { unreadableText } from '../../failures/letters/unreadable-text.js';
import { formatMs } from '../../util/duration.js';
import { countText } from '../../util/text/count-text.js';
import type { Facts } from './facts.js';
import type { Finding } from './finding.js';
import { managementChecks } from './management-checks.js';

type Check = (facts: Facts) => Finding[];

/** The checks, most urgent first. */
const CHECKS: readonly Check[] = [
  version,
  alarms,
  missing,
  consumers,
  deadLetters,
  unreadable,
  lost,
  managementChecks,
];

/** Judges the facts. Pure: the same facts give the same findings. */
export function judge(facts: Facts): Finding[] {
  return CHECKS.flatMap((check) => check(facts));
}

const OLDEST = { major: 3, minor: 10 };

function version({ broker, address }: Facts): Finding[] {
  const check = 'broker';
  const message = `${broker.product} ${broker.version} at ${address}`;
  const [major = 0, minor = 0] = broker.version.split('.').map(Number);
  const isOld = major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor);
  if (broker.product === 'RabbitMQ' && !isOld) return [{ severity: 'ok', check, message }];
  return [
    {
      severity: 'error',
      check,
      message: `${message} is not supported`,
      help: `Hopline needs RabbitMQ ${OLDEST.major}.${OLDEST.minor} or later: at-least-once dead-lettering came with it.`,
    },
  ];
}

function alarms({ broker, management }: Facts): Finding[] {
  const check = 'alarms';
  const help =
    'Free memory or disk on that node, or let consumers catch up: until then no publish is confirmed, retries and dead letters are held, and handlers pause.';
  const findings = (management?.nodes ?? []).flatMap(({ name, memoryAlarm, diskAlarm }): Finding[] => {
    const what = [memoryAlarm ? 'memory' : '', diskAlarm ? 'disk' : ''].filter(Boolean).join(' and ');
    return what === ''
      ? []
      : [{ severity: 'error', check, message: `node ${name} has a ${what} alarm`, help }];
  });
  if (findings.length === 0 && broker.blocked !== undefined)
    findings.push({
      severity: 'error',
      check,
      message: `the broker blocks publishers: ${broker.blocked}`,
      help,
    });
  return findings.length > 0 ? findings : [{ severity: 'ok', check, message: 'no alarm: it takes messages' }];
}

function missing({ missing: resources, application }: Facts): Finding[] {
  const check = 'topology';
  if (!application)
    return [
      {
        severity: 'unknown',
        check,
        message: 'what should be declared is not known without the application',
        help: 'Name it with --app.',
      },
    ];
  if (resources.length === 0)
    return [
      { severity: 'ok', check, message: `all that service '${application.service}' wants is declared` },
    ];
  return resources.map((resource) => ({
    severity: 'error',
    check,
    message: `${resource} is missing`,
    help: "Start the service once with topology: 'declare', or look whether somebody deletes it.",
  }));
}

function consumers({ queues, paused, application }: Facts): Finding[] {
  const check = 'consumers';
  const known = [...queues].flatMap(([name, state]) => (state ? [{ name, ...state }] : []));
  const idle = known.filter((queue) => queue.consumers === 0);
  if (idle.length === 0 && known.length > 0)
    return [{ severity: 'ok', check, message: `each of ${countText(known.length, 'queue')} has consumers` }];
  return idle.map(({ name, ready }) => {
    const waiting = `in which ${countText(ready, 'message')} wait${ready === 1 ? 's' : ''}`;
    const by = pausedAs(name, paused, application);
    if (by !== undefined)
      return {
        severity: 'warning',
        check,
        message: `an operator has paused queue '${name}', ${waiting}`,
        help: `hopline resume ${by} lets it go on.`,
      };
    return {
      severity: ready > 0 ? 'error' : 'warning',
      check,
      message: `nobody consumes queue '${name}', ${waiting}`,
      help: 'Start a worker of its service, and look at its log if one runs.',
    };
  });
}

/** The name under which a queue is paused: its own, or that of the queue that it is a lane of. */
function pausedAs(
  queue: string,
  paused: readonly string[],
  application: Facts['application'],
): string | undefined {
  const whole = application?.queues.find(({ lanes }) => lanes.some((lane) => lane.queue === queue))?.name;
  return paused.find((name) => name === queue || name === whole);
}

const DAY_MS = 86_400_000;

function deadLetters({ deadLetters: letters, now }: Facts): Finding[] {
  const check = 'dead letters';
  const waiting = letters.filter((each) => each.count > 0);
  if (waiting.length === 0) return [{ severity: 'ok', check, message: 'no dead letters' }];
  return waiting.map(({ deadQueue, count: number, oldest }): Finding => {
    const ageMs = oldest === undefined ? 0 : now - oldest.getTime();
    const age = oldest === undefined ? '' : `, the oldest ${formatMs(Math.floor(ageMs / 1_000) * 1_000)} old`;
    return {
      severity: 'warning',
      check,
      message: `${lettersText(number)} in '${deadQueue}'${age}`,
      help: `hopline failed --queue ${deadQueue} shows them${ageMs > DAY_MS ? '. Before RabbitMQ 4.3 the oldest keeps the log behind it on disk' : ''}.`,
    };
  });
}

function unreadable({ deadLetters: letters }: Facts): Finding[] {
  const check = 'unreadable';
  return letters.flatMap(({ unreadable: found, whyNotRead: why }): Finding[] => {
    if (found) return [{ severity: 'warning', check, ...unreadableText(found) }];
    return why ? [{ severity: 'warning', check, message: why.message, help: why.help }] : [];
  });
}

function lost({ lost: number }: Facts): Finding[] {
  if (!number) return [];
  return [
    {
      severity: 'warning',
      check: 'lost',
      message: `${countText(number, 'message')} that no queue took when the delay was over`,
      help: 'hopline failed --queue hopline.delay.lost shows them; retry replays them.',
    },
  ];
}
