import type { Bus } from '../bus.js';
import type { BusHealth } from '../observe/health/bus-health.js';

/** Result of an indicator of `@nestjs/terminus`: the status under the indicator's key, with details. */
export type HoplineHealthResult<Key extends string = string> = Record<
  Key,
  { status: 'up' | 'down' } & Pick<BusHealth, 'state' | 'reasons' | 'connections' | 'consumers'>
>;

/**
 * Health of a bus for `HealthCheckService` of `@nestjs/terminus`: `health.check([() => hopline.isHealthy()])`. It reads memory alone, asks
 * the broker nothing, and shows no credential.
 */
export class HoplineHealthIndicator {
  constructor(private readonly bus: Pick<Bus, 'health'>) {}

  /**
   * Readiness: up while a publish would be confirmed and messages are handled.
   *
   * @param key name of the indicator in the result
   */
  isHealthy<const Key extends string = 'hopline'>(key = 'hopline' as Key): HoplineHealthResult<Key> {
    const health = this.bus.health();
    return resultOf(key, health.ready, health);
  }

  /**
   * Liveness: down only if nothing but a new process helps. A broker that is away is no reason for that.
   *
   * @param key name of the indicator in the result
   */
  isAlive<const Key extends string = 'hopline'>(key = 'hopline' as Key): HoplineHealthResult<Key> {
    const health = this.bus.health();
    return resultOf(key, health.live, health);
  }
}

function resultOf<Key extends string>(
  key: Key,
  isUp: boolean,
  { state, reasons, connections, consumers }: BusHealth,
): HoplineHealthResult<Key> {
  const result = { status: isUp ? 'up' : 'down', state, reasons, connections, consumers };
  return { [key]: result } as HoplineHealthResult<Key>;
}
