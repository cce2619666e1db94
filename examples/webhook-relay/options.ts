import { parseArgs } from 'node:util';

export interface Options {
  /** The user's own events: a file, or `-`; undefined for GitHub's. */
  readonly file: string | undefined;
  readonly processes: boolean;
  readonly deadlineMs: number;
  /** Directory for what the services write; undefined for a temporary one. */
  readonly out: string | undefined;
  /** Undefined for the broker in this process. */
  readonly amqpUrl: string | undefined;
  /** Undefined without a dashboard. */
  readonly dashboardPort: number | undefined;
}

export const USAGE = `Usage: npm start -- [options] [events.ndjson | -]

Relays GitHub's webhooks (or your events, one JSON document a line: {"key": "...", "payload": {...}})
through three services, and accounts for every message.

  --processes         each service in a process of its own; needs AMQP_URL
  --dashboard         go on, some events each second, with a dashboard at 127.0.0.1:7700, until Ctrl-C
  --deadline SECONDS  give up after this long, and say what is missing (default 60)
  --out DIRECTORY     keep what the services write: audit.ndjson and notifications.txt
  --help              this text

AMQP_URL=amqp://user:password@host:5672/vhost runs it on RabbitMQ; without, in memory.
Exit code: 0 if every message is accounted for, 1 if not, 2 for a wrong call.`;

/** The command line is wrong: exit code 2, with the usage. */
export class UsageError extends Error {}

const OPTIONS = {
  processes: { type: 'boolean', default: false },
  dashboard: { type: 'boolean', default: false },
  deadline: { type: 'string', default: '60' },
  out: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** @throws UsageError */
export function readOptions(
  args: readonly string[],
  { AMQP_URL, DASHBOARD_PORT = '7700' }: NodeJS.ProcessEnv,
): Options | 'help' {
  const { values, positionals } = parse(args);
  if (values.help) return 'help';
  const [file, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`expected one file of events, got ${positionals.length}`);
  const deadlineMs = Number(values.deadline) * 1_000;
  if (!(deadlineMs > 0 && deadlineMs < 2 ** 31))
    throw new UsageError(`expected --deadline to be a number of seconds, got '${values.deadline}'`);
  const amqpUrl = AMQP_URL || undefined;
  if (values.processes && amqpUrl === undefined) {
    throw new UsageError(
      '--processes needs a broker that processes can share: set AMQP_URL, as in AMQP_URL=amqp://localhost npm start -- --processes',
    );
  }
  const dashboardPort = values.dashboard ? Number(DASHBOARD_PORT) : undefined;
  return { file, processes: values.processes, deadlineMs, out: values.out, amqpUrl, dashboardPort };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const text = (error as Error).message;
    const unknown = /^Unknown option '--?([^']+)'/.exec(text)?.[1];
    if (unknown === undefined) throw new UsageError(text);
    const meant = Object.keys(OPTIONS).find((name) => name[0] === unknown[0]);
    throw new UsageError(`unknown option --${unknown}${meant ? `, did you mean --${meant}?` : ''}`);
  }
}
