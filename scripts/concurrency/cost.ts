import { Redis } from 'ioredis';
import { cpuMsOf } from '../dashboard/process.js';

/** What a run has cost so far: CPU in milliseconds, and commands. */
export interface Cost {
  /** Undefined for a broker that was here before. */
  readonly broker: number | undefined;
  readonly redis: number;
  /** Calls of scripts. */
  readonly commands: number;
}

export class Costs {
  private readonly client: Redis;

  constructor(
    redisUrl: string,
    private readonly brokerPid: () => number | undefined,
  ) {
    this.client = new Redis(redisUrl);
  }

  async now(): Promise<Cost> {
    const pid = this.brokerPid();
    const [cpu, stats] = [await this.client.info('cpu'), await this.client.info('commandstats')];
    const seconds = ['sys', 'user'].map((of) => numberIn(cpu, new RegExp(`used_cpu_${of}:([\\d.]+)`)));
    return {
      broker: pid === undefined ? undefined : cpuMsOf(pid),
      redis: seconds.reduce((sum, each) => sum + each, 0) * 1_000,
      commands: numberIn(stats, /cmdstat_evalsha:calls=(\d+)/),
    };
  }

  stop(): void {
    this.client.disconnect();
  }
}

export function costSince(before: Cost, after: Cost): Cost {
  return {
    broker: after.broker === undefined ? undefined : after.broker - (before.broker ?? 0),
    redis: after.redis - before.redis,
    commands: after.commands - before.commands,
  };
}

const numberIn = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
