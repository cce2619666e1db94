import { execFile } from 'node:child_process';
import { serverVersion } from './amqp-probe.js';
import { Declined, type Way } from './way.js';

const IMAGE = 'rabbitmq:4-management';
const AMQP_PORT = 5672;
const USER = 'hopline';
const PROBE_TIMEOUT_MS = 3_000;
const START_TIMEOUT_MS = 90_000;

/** A container of the official image; Docker's reaper removes it even if this process is killed. */
export const containerBroker: Way = {
  name: `a container of ${IMAGE}`,
  remedy: 'Start Docker, or Podman with DOCKER_HOST set to its socket.',

  async provide() {
    if (!(await daemonAnswers())) return new Declined('no container daemon answers');
    const { GenericContainer, Wait } = await import('testcontainers');
    const starting = new GenericContainer(IMAGE)
      .withExposedPorts(AMQP_PORT)
      // The daemon may be another machine's, and the well-known guest is refused there.
      .withEnvironment({ RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: USER })
      .withWaitStrategy(Wait.forLogMessage(/Server startup complete/))
      .withStartupTimeout(START_TIMEOUT_MS)
      .start();
    // Without a network the image can't be pulled, while an installed server would still do.
    const container = await starting.catch(
      (error: Error) => new Declined(`${IMAGE} did not start: ${error.message}`),
    );
    if (container instanceof Declined) return container;

    const url = `amqp://${USER}:${USER}@${container.getHost()}:${container.getMappedPort(AMQP_PORT)}`;
    let stopping: Promise<unknown> | undefined;
    return {
      kind: 'container',
      url,
      version: await serverVersion(url),
      async ctl(...args) {
        const { exitCode, output } = await container.exec(['rabbitmqctl', '--quiet', ...args]);
        if (exitCode !== 0)
          throw new Error(`rabbitmqctl ${args.join(' ')} ended with ${exitCode}: ${output}`);
        return output;
      },
      async stop() {
        stopping ??= container.stop();
        await stopping;
      },
    };
  },
};

/**
 * Asked by the library itself, so that it looks where the library will look (DOCKER_HOST, contexts, rootless sockets).
 * In a process of its own: a daemon that accepts but never answers would keep a socket, and so the test run, open.
 */
function daemonAnswers(): Promise<boolean> {
  const ask =
    'const { getContainerRuntimeClient: ask } = await import(process.argv[1]); await ask(); process.exit(0)';
  const args = ['--input-type=module', '--eval', ask, import.meta.resolve('testcontainers')];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' }, (error) =>
      resolve(!error),
    );
  });
}
