import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { answersAmqp } from './amqp-probe.js';
import { bootIsComplete, troubleIn } from './boot-log.js';
import { ErlangHome, endVm } from './erlang-home.js';
import { requireServerProgram } from './find-program.js';
import { isRunning } from './guard.js';
import { type NodePorts, writeNodeFiles } from './node-files.js';
import { evaluate, expressionOf } from './node-shell.js';
import { freePorts } from './ports.js';
import type { ServerProgram } from './server-program.js';

const READY_TIMEOUT_MS = 90_000;
const READY_INTERVAL_MS = 50;
const CTL_TIMEOUT_MS = 60_000;

/** Where a node is to live. */
export interface NodePlace {
  readonly program: ServerProgram;
  readonly home: ErlangHome;
  /** Erlang's name of it. */
  readonly nodeName: string;
  /** Exists, and holds no node yet. */
  readonly dir: string;
  readonly ports: NodePorts;
}

export interface PrivateNodeOptions {
  /** Which RabbitMQ, such as `4.3`. Default: what BROKER_VERSION says, else the installed one. */
  version?: string;
  /** Begins the names of the node and of its folder: letters, digits and hyphens. Default `hopline`. */
  name?: string;
  /** The folder in which the node makes a new one of its own. Default: memory where it has room, else the system's for temporary files. */
  dir?: string;
  /** Lines for `rabbitmq.conf`, such as `consumer_timeout = 5000`; they come after our own. Default none. */
  config?: readonly string[];
  /** An Erlang term for `advanced.config`, without the final dot. Default `[]`. */
  advanced?: string;
  /**
   * Plugins to switch on, such as `rabbitmq_management`. Default none, which starts quicker. A plugin that listens
   * needs its port in `config`, or it takes the system node's.
   */
  plugins?: readonly string[];
}

/**
 * A RabbitMQ node of the test run's own, which may be faulted. It shares nothing with a node of the system or of another
 * test run: home folder and cookie, port mapper (epmd), node name, ports, data, logs and configuration are its own, and
 * it listens on the loopback interface only. Runs as any user, on Linux and macOS.
 *
 * Nothing of it outlives this process, however that ends: see {@link ErlangHome}.
 */
export class PrivateNode {
  private vm: ChildProcess | undefined;
  private boots = 0;
  private stopping: Promise<void> | undefined;

  private constructor(
    private readonly place: NodePlace,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /**
   * Resolves once the node answers AMQP and says that its boot is complete: some five seconds.
   *
   * @throws Error if no server is installed and none can be, or if the node isn't ready within 90 s; the latter quotes the
   * log's error lines
   */
  static async start(options: PrivateNodeOptions = {}): Promise<PrivateNode> {
    const program = await requireServerProgram(options.version);
    const [epmd, amqp, distribution] = (await freePorts(3)) as [number, number, number];
    const home = await ErlangHome.create(options.name ?? 'hopline', epmd, options.dir);
    const nodeName = `${basename(home.dir)}@localhost`;
    try {
      await home.startEpmd(program);
      const place = { program, home, dir: home.dir, nodeName, ports: { amqp, distribution } };
      const node = await PrivateNode.prepare(place, options);
      await node.boot();
      return node;
    } catch (error) {
      await home.stop();
      throw error;
    }
  }

  /** A node that {@link boot} starts, in a home that others may share. */
  static async prepare(place: NodePlace, options: PrivateNodeOptions): Promise<PrivateNode> {
    const { config = [], advanced = '[]', plugins = [] } = options;
    const { applications } = place.program;
    const files = { ...place, config, advanced, plugins, applications };
    return new PrivateNode(place, await writeNodeFiles(files));
  }

  /** Erlang's name of it. */
  get name(): string {
    return this.place.nodeName;
  }

  /** Holds all of the node's files. */
  get dir(): string {
    return this.place.dir;
  }

  /** Where it speaks AMQP, with the credentials of its administrator; the same after a restart. */
  get url(): string {
    return `amqp://guest:guest@127.0.0.1:${this.port}`;
  }

  /** The port of {@link url}, on 127.0.0.1. */
  get port(): number {
    return this.place.ports.amqp;
  }

  /** The Erlang VM's process id, or nothing while the node is down. */
  get pid(): number | undefined {
    return this.vm && isRunning(this.vm) ? this.vm.pid : undefined;
  }

  /** Ends the VM at once, as a crash or the kernel's out-of-memory killer does. Resolves once it is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** Ends the VM cleanly, or by force if that takes over 20 s. {@link restart} starts it again. */
  shutDown(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** Boots again on the same data and ports; a node that still runs is ended cleanly first. Throws as `start` does. */
  async restart(): Promise<void> {
    await this.shutDown();
    await this.boot();
  }

  /** Ends the node cleanly, and what it shares with none but its cluster, and removes the folder. May be called again. */
  stop(): Promise<void> {
    this.stopping ??= this.place.home.stop();
    return this.stopping;
  }

  /**
   * Does what `rabbitmqctl --quiet` does with these arguments, and resolves with what it prints. A second for a command that
   * only the program can do, some milliseconds for the others: see {@link expressionOf}.
   *
   * @throws Error with the command's output if it fails, or takes over 60 s
   */
  async ctl(...args: string[]): Promise<string> {
    const expression = expressionOf(args);
    const { erlCall } = this.place.program;
    if (expression && erlCall) {
      const asked = erlCall(this.place.home.dir, ['-n', this.name, '-e']);
      return evaluate(asked, expression, { env: this.env, cwd: this.dir, timeout: CTL_TIMEOUT_MS });
    }
    const options = { env: this.env, cwd: this.dir, timeout: CTL_TIMEOUT_MS };
    const { home, program } = this.place;
    const command = program.ctl(home.dir, ['--quiet', ...args]);
    const { stdout } = await promisify(execFile)(command.file, command.args, options);
    return stdout;
  }

  /** All queues of the default vhost, with these columns of `rabbitmqctl list_queues` beside their names. */
  async queues<Column extends string>(
    ...columns: readonly Column[]
  ): Promise<({ readonly name: string } & Readonly<Record<Column, unknown>>)[]> {
    return JSON.parse(await this.ctl('list_queues', 'name', ...columns, '--formatter', 'json'));
  }

  /**
   * Writes to disk which quorum queues it has. It does so by itself every half second; one that is killed before that
   * makes its copy of a new queue anew. On 3.10 such a copy, once it leads, tells dead-letter workers nothing of what it
   * has stored, and whatever dead-letters into the queue stands still.
   */
  async sync(): Promise<void> {
    await this.ctl('eval', '[dets:sync(Table) || Table <- dets:all()].');
  }

  /** Throws as `start` does. */
  async boot(): Promise<void> {
    this.boots += 1;
    const logPath = join(this.dir, 'log', `boot-${this.boots}.log`);
    const log = await open(logPath, 'a');
    const { env, dir: cwd } = this;
    const { home, program } = this.place;
    try {
      const command = program.server(home.dir, []);
      this.vm = spawn(command.file, command.args, {
        env,
        cwd,
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      });
      home.adopt(this.vm);
      await once(this.vm, 'spawn');
    } finally {
      await log.close();
    }
    this.vm.unref(); // a forgotten node must not keep the test run from ending
    await this.ready(this.vm, logPath);
  }

  private async ready(vm: ChildProcess, logPath: string): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    const failed = async (how: string) =>
      new Error(`the RabbitMQ node ${how}; its log says:\n${await troubleIn(logPath)}`);
    while (!((await bootIsComplete(logPath)) && (await answersAmqp(this.port)))) {
      if (!isRunning(vm)) throw await failed('ended while it started');
      if (Date.now() > deadline) throw await failed(`was not ready after ${READY_TIMEOUT_MS / 1000} s`);
      await pause(READY_INTERVAL_MS);
    }
  }

  private async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (this.vm) await endVm(this.vm, signal);
  }
}
