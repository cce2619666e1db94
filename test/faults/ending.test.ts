import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { PROVIDE_TIMEOUT_MS, type PrivateNode } from '../support/broker/index.js';
import { privateBroker } from '../support/private-broker.js';
import { muteServer, TcpProxy } from '../support/tcp-proxy.js';
import { through } from './fixture.js';

/** The heartbeats of what is left behind go on for 20 s and more; the rest is for a busy machine. */
const ENDS_WITHIN_MS = 5_000;

/** What has stopped leaves nothing that keeps its process alive. */
describe('a process', function () {
  this.timeout(90_000);
  let node: PrivateNode;
  const children = new Set<ChildProcess>();
  /** What a failed test must not leave open either. */
  const peers: { close(): Promise<void> }[] = [];

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    node = await privateBroker();
  });

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    children.clear();
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
  });

  function start(url: string, moment: number | 'mute'): ChildProcess {
    const child = fork(join(import.meta.dirname, 'ending-process.js'), [url, String(moment)], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    children.add(child);
    return child;
  }

  async function endsSoon(child: ChildProcess): Promise<void> {
    const ended = once(child, 'exit');
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    const from = performance.now();
    await ended;
    const tookMs = performance.now() - from;
    assert.ok(tookMs < ENDS_WITHIN_MS, `it ended ${Math.round(tookMs)} ms after stop()`);
  }

  it('ends with a stop() at any moment of its start', async () => {
    const moments = [0, 5, 20, 40, 80, 160, 320, 640];
    await Promise.all(moments.map((moment) => endsSoon(start(node.url, moment))));
  });

  it('ends with a stop() while it waits for a broker that never answers', async () => {
    const mute = await muteServer();
    peers.push(mute);
    await endsSoon(start(`amqp://guest:guest@127.0.0.1:${mute.port}`, 300));
  });

  it('ends with a stop() while its connections are mute', async () => {
    const proxy = await TcpProxy.start({ host: '127.0.0.1', port: node.port });
    peers.push(proxy);
    const child = start(through(proxy, node), 'mute');
    await once(child, 'message');
    proxy.stall('both');
    child.send('the broker is mute');
    await endsSoon(child);
  });
});
