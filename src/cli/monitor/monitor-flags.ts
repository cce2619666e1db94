import type { Command } from 'commander';
import { type AlertsOptions, type AlertsSettings, alertsSettings } from '../../observe/alerts/options.js';
import type { MonitoredOptions } from '../../oversight/application/monitored.js';
import { rabbitmq } from '../../transport/amqp/index.js';
import { isPlainObject } from '../../util/check.js';
import type { Logger } from '../../util/logger.js';
import { appOfPackage, describeApplication } from '../application.js';
import { type Broker, brokerOf, fileOf } from '../broker/broker.js';
import { type ControlFlags, withControl } from '../broker/control.js';
import { collect, sharedPrefix } from '../broker/target.js';
import { type ManagementFlags, managementOf, withManagement } from '../doctor/management-flags.js';
import { durationMs } from '../flag-values.js';
import { UsageError } from '../usage-error.js';

export interface MonitorFlags extends ControlFlags, ManagementFlags {
  readonly queue?: readonly string[];
  readonly delayPrefix?: string;
  readonly rules?: string;
  readonly rule?: readonly string[];
  readonly webhook?: string;
  readonly slack?: boolean;
}

export function withMonitor(command: Command): Command {
  return withManagement(withControl(command))
    .option('--queue <name>', 'queue to look at even if nobody has told of it; may be repeated', collect)
    .option('--delay-prefix <name>', "the application's delayPrefix, if it has one")
    .option('--rules <file>', 'JSON file with the options of alerts(): rules, webhooks, ping, publish …')
    .option('--rule <text>', "a rule, before those of the file: 'oldest > 5m'; may be repeated", collect)
    .option(
      '--webhook <url>',
      'address that alerts are posted to; else ALERT_WEBHOOK. ALERT_SECRET signs them',
    )
    .option('--slack', "the webhook is one of Slack's");
}

/** What is monitored, and its name. */
export interface MonitoredBroker extends MonitoredOptions {
  readonly broker: Broker;
}

/** Reads what is monitored. @throws UsageError */
export async function monitoredOf(flags: MonitorFlags, env: NodeJS.ProcessEnv): Promise<MonitoredBroker> {
  const broker = brokerOf(flags, env);
  const path = flags.app ?? (flags.prefix === undefined ? appOfPackage(process.cwd()) : undefined);
  const buses = path === undefined ? [] : await describeApplication(path, broker.url);
  const lanes = buses.flatMap(({ queues }) => queues.flatMap((queue) => queue.lanes));
  const asksManagement = flags.management !== undefined || env.MANAGEMENT_URL !== undefined;
  return {
    broker,
    transport: rabbitmq(broker.options),
    prefix: flags.prefix ?? sharedPrefix(buses),
    delayPrefix: flags.delayPrefix ?? buses[0]?.delayPrefix,
    queues: [...(flags.queue ?? []), ...lanes.map(({ queue }) => queue)],
    management: asksManagement ? managementOf(flags, broker, env) : undefined,
    wait: durationMs('--wait', flags.wait),
  };
}

/** Reads the rules and who is told. @throws UsageError, OptionsError */
export function settingsOf(flags: MonitorFlags, env: NodeJS.ProcessEnv, log: Logger): AlertsSettings {
  const given = flags.rules === undefined ? {} : optionsIn(flags.rules);
  const url = flags.webhook ?? env.ALERT_WEBHOOK;
  const secret = env.ALERT_SECRET;
  const own = url === undefined ? [] : [{ url, ...(flags.slack ? { format: 'slack' as const } : {}) }];
  const settings = alertsSettings({
    ...given,
    rules: [...(flags.rule ?? []), ...(given.rules ?? [])],
    webhooks: [...own, ...(given.webhooks ?? [])],
    log,
  });
  const webhooks = settings.webhooks.map((each) => (secret ? { secret, ...each } : each));
  return { ...settings, webhooks };
}

/** Options in a file, of which the lists are lists; all else is checked with the flags. */
function optionsIn(file: string): AlertsOptions {
  const text = fileOf(file, '--rules', 'a JSON object');
  try {
    const given: unknown = JSON.parse(text);
    const { rules = [], webhooks = [] } = given as AlertsOptions;
    if (isPlainObject(given) && Array.isArray(rules) && Array.isArray(webhooks)) return given;
  } catch (error) {
    // Its message may quote what is in the file: addresses and secrets.
    const [where = ''] =
      /(?<= )at position \d+( \(line \d+ column \d+\))?/.exec((error as Error).message) ?? [];
    throw new UsageError(`'${file}' is no JSON${where && ` ${where}`}`, SHAPE);
  }
  throw new UsageError(`'${file}' holds no options of alerts()`, SHAPE);
}

const SHAPE = 'Write it as { "rules": ["oldest > 5m"], "webhooks": [{ "url": "https://…" }] }';
