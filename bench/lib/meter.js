import { cpuMsOf } from './process-cpu.js';

/** What a stretch of work has cost this process, and the broker's if we may look at it. */
export class Meter {
  #startedAt = 0;
  #cpu = process.cpuUsage();
  #brokerMs = 0;

  /** @param {number} [brokerPid] */
  constructor(brokerPid) {
    this.brokerPid = brokerPid;
  }

  start() {
    if (this.brokerPid) this.#brokerMs = cpuMsOf(this.brokerPid);
    this.#startedAt = performance.now();
    this.#cpu = process.cpuUsage();
  }

  /** @param {number} n  messages since the start */
  stop(n) {
    const { user, system } = process.cpuUsage(this.#cpu);
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    return {
      n,
      seconds: round(seconds, 3),
      perSecond: Math.round(n / seconds),
      cpuUserMs: round(user / 1_000, 1),
      cpuSystemMs: round(system / 1_000, 1),
      cpuPerMessageUs: round((user + system) / n, 2),
      ...(this.brokerPid ? this.#broker(n, this.brokerPid) : {}),
      maxRssMb: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
  }

  /** @param {number} n @param {number} pid */
  #broker(n, pid) {
    const spentMs = cpuMsOf(pid) - this.#brokerMs;
    return { brokerCpuMs: spentMs, brokerCpuPerMessageUs: round((spentMs * 1_000) / n, 2) };
  }
}

/** @param {number} value @param {number} digits */
export const round = (value, digits) => Number(value.toFixed(digits));
