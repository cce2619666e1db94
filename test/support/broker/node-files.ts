import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ErlangHome } from './erlang-home.js';
import { quickBoot } from './quick-boot.js';

/** All on the loopback interface. */
export interface NodePorts {
  readonly amqp: number;
  /** Between Erlang VMs: other nodes and `rabbitmqctl`. */
  readonly distribution: number;
}

export interface NodeFilesOptions {
  readonly home: ErlangHome;
  /** Of the node alone; exists and is empty, or nearly so. */
  readonly dir: string;
  /** Erlang's name of the node, such as `hopline-Ab12Cd@localhost`. */
  readonly nodeName: string;
  readonly ports: NodePorts;
  /** Lines for the end of `rabbitmq.conf`. */
  readonly config: readonly string[];
  /** The Erlang term of `advanced.config`, without its final dot. */
  readonly advanced: string;
  readonly plugins: readonly string[];
  /** As {@link quickBoot} takes them. */
  readonly applications: readonly string[];
}

/** Loopback only: the distribution port would otherwise listen on every interface. */
const LOOPBACK = '-kernel inet_dist_use_interface {127,0,0,1}';

/** One scheduler that never spins: a test run has few cores, and several nodes beside the tests themselves. */
const FRUGAL = '+S 1:1 +SDcpu 1:1 +SDio 4 +sbwt none +sbwtdcpu none +sbwtdio none';

/** A start of `rabbitmqctl` is all that a command costs. With one scheduler of each kind it is a fifth less. */
const FRUGAL_CTL = '+S 1:1 +SDcpu 1:1 +SDio 1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none';

/** Writes the files of a node and returns the environment that both server and `rabbitmqctl` need. */
export async function writeNodeFiles(options: NodeFilesOptions): Promise<NodeJS.ProcessEnv> {
  const { home, dir, nodeName, ports, config, advanced, plugins, applications } = options;
  const path = (name: string) => join(dir, name);
  await Promise.all(['data', 'log', 'generated'].map((name) => mkdir(path(name))));
  await writeFile(path('rabbitmq-env.conf'), ''); // or the scripts would read /etc/rabbitmq's
  await writeFile(path('rabbitmq.conf'), configLines(ports.amqp, config));
  await writeFile(path('advanced.config'), `${advanced}.\n`);
  await writeFile(path('enabled_plugins'), `[${plugins.join(',')}].\n`);
  const pluginsDir = plugins.length === 0 ? path('plugins') : undefined;
  const quick = await quickBoot(applications, { listsDir: path('lists'), pluginsDir });
  return {
    ...home.env,
    ...(quick?.pluginsDir && { RABBITMQ_PLUGINS_DIR: quick.pluginsDir }),
    TMPDIR: dir,
    ERL_CRASH_DUMP: path('log/erl_crash.dump'),
    RABBITMQ_NODENAME: nodeName,
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_CONF_ENV_FILE: path('rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path('advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: path('generated'),
    RABBITMQ_MNESIA_BASE: path('data'),
    RABBITMQ_FEATURE_FLAGS_FILE: path('feature_flags'),
    RABBITMQ_PID_FILE: path('pid'),
    RABBITMQ_LOG_BASE: path('log'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [LOOPBACK, FRUGAL, quick?.args].join(' '),
    RABBITMQ_CTL_ERL_ARGS: `${LOOPBACK} ${FRUGAL_CTL}`,
    // Any free port. The default range of eleven is shared by every rabbitmqctl on the machine.
    RABBITMQ_CTL_DIST_PORT_MIN: '0',
    RABBITMQ_CTL_DIST_PORT_MAX: '0',
    // The script then becomes the Erlang VM instead of watching over it: its process id is the VM's.
    RUNNING_UNDER_SYSTEMD: '1',
  };
}

function configLines(amqpPort: number, extra: readonly string[]): string {
  return [
    `listeners.tcp.1 = 127.0.0.1:${amqpPort}`,
    // To standard output, which goes into one file a boot: what an earlier boot wrote is never taken for this one's.
    'log.console = true',
    'log.console.level = info',
    'log.console.use_colors = off',
    'log.file = false',
    // Far from what a test machine has left, so that no alarm blocks a publisher that doesn't expect one.
    'disk_free_limit.absolute = 50MB',
    'vm_memory_high_watermark.absolute = 1GB',
    ...extra,
    '',
  ].join('\n');
}
