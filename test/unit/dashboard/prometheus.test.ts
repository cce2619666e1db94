import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { PrometheusError } from '../../../src/dashboard/site/history/errors.js';
import { Prometheus } from '../../../src/dashboard/site/history/prometheus.js';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

describe('history from Prometheus', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked: URLSearchParams[];
  let authorizations: (string | undefined)[];

  beforeEach(async () => {
    asked = [];
    authorizations = [];
    server = createServer(async (request, response) => {
      authorizations.push(request.headers.authorization);
      asked.push(new URLSearchParams(await text(request)));
      answer(request, response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const address = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gives = (values: unknown) => {
    answer = (_request, response) =>
      response.end(
        JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: [{ values }] } }),
      );
  };

  it('is asked for with labels that no name can break out of, and comes at equal steps', async () => {
    const prometheus = new Prometheus(`http://${address()}/prom`);
    gives([]);
    const subject = { of: 'handler', service: 'shop', queue: 'a"} or {x="\\', handler: 'Ship' } as const;
    const { from, stepMs, values } = await prometheus.series('failed', subject, 6 * HOUR, NOW);
    assert.equal(
      asked[0]?.get('query'),
      'sum(rate(hopline_messages_handled_total{service="shop",queue="a\\"} or {x=\\"\\\\",handler="Ship",outcome="failed"}[120s]))',
    );
    assert.deepEqual([stepMs, values.length, new Set(values)], [30_000, 720, new Set([null])]);
    assert.equal(Number(asked[0]?.get('end')) * 1_000, from + 719 * stepMs);
    gives([
      [from / 1_000, '1.5'],
      [from / 1_000 + 60, 'NaN'],
      [from / 1_000 + 90, '2'],
    ]);
    const again = await prometheus.series('run-p95', { of: 'all', services: ['a.b', 'c'] }, 6 * HOUR, NOW);
    assert.deepEqual(again.values.slice(0, 5), [1.5, null, null, 2, null]);
    assert.equal(
      asked[1]?.get('query'),
      '1000 * histogram_quantile(0.95, sum by (le) (rate(hopline_handler_duration_seconds_bucket{service=~"a\\\\.b|c"}[120s])))',
    );
    await prometheus.series('length', { of: 'queue', queue: 'q' }, 6 * HOUR, NOW);
    assert.equal(asked[2]?.get('query'), 'sum(max by (queue) (hopline_queue_messages{queue="q"}))');
  });

  it('is not known for what is no metric, which nobody is asked for', async () => {
    const { values } = await new Prometheus(`http://${address()}`).series(
      'dead-letters',
      { of: 'all', services: [] },
      2 * HOUR,
      NOW,
    );
    assert.deepEqual(new Set(values), new Set([null]));
    assert.deepEqual(asked, []);
  });

  it('asks with the credentials of the address in a header, and shows them in no error', async () => {
    const prometheus = new Prometheus(`http://ada:s%40cret@${address()}`);
    answer = (_request, response) => response.writeHead(401).end();
    await assert.rejects(prometheus.series('handled', { of: 'queue', queue: 'q' }, HOUR, NOW), (error) => {
      assert.ok(error instanceof PrometheusError);
      assert.match(error.message, /^Prometheus at 127\.0\.0\.1:\d+ answers 401 to a query$/);
      assert.ok(!JSON.stringify([error.message, error.help]).includes('cret'));
      return true;
    });
    assert.deepEqual(authorizations, [`Basic ${Buffer.from('ada:s@cret').toString('base64')}`]);
  });

  it('fails with an error that names the address where nobody answers, or something else does', async () => {
    const series = (url: string) =>
      new Prometheus(url).series('handled', { of: 'queue', queue: 'q' }, HOUR, NOW);
    answer = (_request, response) => response.end('<html>');
    await assert.rejects(series(`http://${address()}`), /gives no answer of Prometheus/);
    answer = (_request, response) => void response.end('x'.repeat(5 * 1_024 * 1_024));
    await assert.rejects(series(`http://${address()}`), /gives no answer of Prometheus/);
    answer = (request) => request.socket.destroy();
    await assert.rejects(series(`http://${address()}`), /does not answer/);
  });
});
