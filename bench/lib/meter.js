/** What a stretch of work has cost this process. */
export class Meter {
  #startedAt = 0;
  #cpu = process.cpuUsage();

  start() {
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
      maxRssMb: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
  }
}

/** @param {number} value @param {number} digits */
export const round = (value, digits) => Number(value.toFixed(digits));
