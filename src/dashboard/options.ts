import type { EncryptionOptions } from '../encryption/key-provider.js';
import type { MessageDefinition } from '../message/define-message.js';
import type { BatchStore } from '../stores/batches.js';
import type { JobStore } from '../stores/jobs.js';
import type { OutboxStore } from '../stores/outbox.js';
import type { Transport } from '../transport/transport.js';
import type { Logger } from '../util/logger.js';
import type { DashboardAuth } from './server/auth/options.js';

/** An application that the dashboard shows. */
export interface DashboardApplication {
  /** Connection to the application's broker: a transport such as its bus has. */
  transport: Transport;
  /** Prefix of the application. @default 'hopline' */
  prefix?: string;
  /** Prefix of the application's delay queues. @default 'hopline' */
  delayPrefix?: string;
  /** What pages call it, and, in lower case and with `-` for what is no letter or digit, its part of their addresses. @default the prefix */
  name?: string;
  /** Where the broker is, as pages say it; no password. @default the host and port of the transport */
  broker?: string;
  /** Queues that are shown even if no worker tells of them, and their dead letters with them. @default none */
  queues?: readonly string[];
  /** Error queues of others whose dead letters are shown, too: of a plain dead-letter exchange, MassTransit, NServiceBus. @default none */
  deadLetters?: readonly string[];
  /** RabbitMQ's management API, for what AMQP does not tell: nodes, alarms, members, bindings. @default it is not asked */
  management?: DashboardManagement;
  /** Stores of the application, as `redisStores()` and `postgresStores()` make them: for jobs, batches and the outbox. @default none */
  stores?: DashboardStores;
  /** Messages whose schemas an edited body is checked against before it is replayed. @default none: it only has to be what it was, JSON or not */
  messages?: readonly MessageDefinition[];
  /** Keys of the application, to show and edit encrypted bodies. @default none: they stay closed */
  encryption?: EncryptionOptions;
}

/** Where the management API is. */
export interface DashboardManagement {
  /** Address with user and password: `http://monitor:secret@rabbit:15672`. They are sent as a header, and never shown. */
  url: string;
  /** The application's vhost. @default '/' */
  vhost?: string;
}

/** What of an application's stores the dashboard shows. */
export interface DashboardStores {
  jobs?: JobStore;
  batches?: BatchStore;
  outbox?: OutboxStore;
}

/**
 * Templates of addresses in other tools. `{traceId}`, `{messageId}`, `{correlationId}`, `{queue}` and `{handler}` are filled in,
 * percent-encoded.
 */
export interface DashboardLinks {
  /** Of a trace: `https://tempo.example.org/trace/{traceId}`. @default no link */
  trace?: string;
  /** Of the logs of a message: `https://logs.example.org/?q={messageId}`. @default no link */
  logs?: string;
}

/** Options of {@link dashboard}: one application, or several in `applications`, and how they are served. */
export interface DashboardOptions extends Partial<DashboardApplication> {
  /** Several applications, such as one for each vhost, in place of the options of one. @default the one that the other options are of */
  applications?: readonly DashboardApplication[];
  /** Where the dashboard is mounted: `/ops`. Addresses in its pages begin with it. @default '/' */
  path?: string;
  /**
   * Who gets in: a file of users with passwords, a proxy that has asked already, or a function. Without it only requests to this very machine are
   * answered.
   * @default nobody is asked, and 127.0.0.1 alone is answered
   */
  auth?: DashboardAuth;
  /** True to allow retry, forget, pause and what else changes anything. @default false: pages are for reading */
  allowActions?: boolean;
  /**
   * Names under which the dashboard is reached, without port: `ops.example.org`. A request to another is refused, since it may be
   * another site's page whose name was pointed here. Needs `auth`. @default localhost; with `auth` any address in digits, too
   */
  allowedHosts?: readonly string[];
  /** Links from messages to traces and logs. @default none */
  links?: DashboardLinks;
  /**
   * Further names of fields and headers whose values are not shown, in any case and with or without `-` and `_`. Password, secret, token,
   * authorization, cookie, apikey and the like are always hidden: see docs/dashboard.md. @default none
   */
  redact?: readonly string[];
  /** Address of Prometheus, for more than the hour of history that is kept in memory: `http://prometheus:9090`. @default none */
  prometheus?: string;
  /** Logger: a line for each action, with who did it, and warnings. @default warnings and errors on standard error */
  log?: Logger;
}
