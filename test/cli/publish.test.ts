import assert from 'node:assert/strict';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { hoplineHere } from './command.js';
import { FailingService } from './service.js';

describe('hopline publish', function () {
  this.timeout(60_000);
  let url: string;
  let service: FailingService;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
    service = new FailingService(url);
    service.mended = true;
    await service.start();
  });
  after(() => service.remove());

  const publish = (args: string[], input = '') =>
    hoplineHere(['publish', ...args, '--prefix', service.name], { url, input });

  it('publishes a payload from its argument or standard input, and says that it is confirmed', async () => {
    const { code, stdout, stderr } = await publish([
      'mail.x',
      '{"a":1}',
      '--id',
      'm1',
      '--header',
      'tenant=a=b',
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^m1 confirmed, on 127\.0\.0\.1:\d+, vhost '\/'\n$/);
    assert.equal((await publish(['mail.x', '-', '--id', 'm2'], '["from stdin"]')).code, 0);
    assert.match((await publish(['mail.x'])).stdout, /^[0-9a-f-]{36} confirmed/);
    await eventually(() => assert.equal(service.calls, 3));
    assert.deepEqual(service.payloads, [{ a: 1 }, ['from stdin'], null]);
    assert.equal(service.headers[0]?.tenant, 'a=b');
  });

  it('publishes later with --delay', async () => {
    const startedAt = performance.now();
    assert.equal((await publish(['mail.x', '1', '--delay', '1s', '--id', 'later'])).code, 0);
    await eventually(() => assert.ok(service.handled.has('later')));
    assert.ok(performance.now() - startedAt >= 1_000);
  });

  it('fails with --send if no queue takes it, and if there is no such exchange', async () => {
    assert.equal((await publish(['nobody.takes.this', '1'])).code, 0);
    const unroutable = await publish(['nobody.takes.this', '1', '--send']);
    assert.equal(unroutable.code, 1);
    assert.match(
      unroutable.stderr,
      /^error: no queue takes 'nobody\.takes\.this' on exchange '.*\.events'\. /,
    );
    const missing = await publish(['mail.x', '1', '--exchange', 'hopline-cli-nothing']);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^error: .*no exchange 'hopline-cli-nothing'/);
  });
});
