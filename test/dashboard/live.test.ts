import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Feed, type Follower } from '../../src/dashboard/server/live/feed.js';
import { Live } from '../../src/dashboard/server/live/live.js';
import { ManualClock } from '../../src/testing/index.js';
import { eventually } from '../support/eventually.js';
import { ask, Dashboards } from './dashboards.js';

/** Reads events until one of this name has come. */
async function nextEvent(reader: ReadableStreamDefaultReader<Uint8Array>, name: string): Promise<unknown> {
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`ended after ${text}`);
    text += Buffer.from(value).toString();
    const [, data] = new RegExp(`event: ${name}\ndata: (.*)\n\n`).exec(text) ?? [];
    if (data !== undefined) return JSON.parse(data);
  }
}

describe('the events of a page', () => {
  const dashboards = new Dashboards();

  it('begin with the script of this version, and the model as it is now', async () => {
    const answer = await ask(dashboards.make(), '/shop/live?page=/');
    assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
    const reader = answer.body?.getReader();
    assert.ok(reader);
    const { script } = (await nextEvent(reader, 'hello')) as { script: string };
    assert.match(script, /^\/assets\/client-\w+\.js$/);
    const { model, now, figures } = (await nextEvent(reader, 'model')) as Record<string, unknown>;
    assert.equal(typeof model, 'object');
    assert.equal(typeof now, 'number');
    assert.equal((figures as { reached: boolean }).reached, true);
    await reader.cancel();
  });

  it('have an application looked at more often than when nobody follows it', async () => {
    const { body } = await ask(dashboards.make(), '/shop/live?page=/workers');
    const reader = body?.getReader();
    assert.ok(reader);
    let text = '';
    const looks = () => [
      ...new Set([...text.matchAll(/"figures":\{"at":(\d+)/g)].map(([, at]) => Number(at))),
    ];
    while (looks().length < 3) {
      const { value, done } = await reader.read();
      assert.ok(!done, text);
      text += Buffer.from(value).toString();
    }
    const [, second = 0, third = Number.POSITIVE_INFINITY] = looks();
    assert.ok(third - second < 4_000, `${third - second} ms between two looks`);
    await reader.cancel();
  });

  it('are none of a page that is not there, and none for a HEAD', async () => {
    const one = dashboards.make();
    assert.equal((await ask(one, '/shop/live?page=/nothing')).status, 404);
    assert.equal((await ask(one, '/shop/live')).status, 404);
    assert.equal((await ask(one, '/shop/live?page=/', { method: 'HEAD' })).status, 204);
  });

  it('end with the dashboard', async () => {
    const one = dashboards.make();
    const { body } = await ask(one, '/shop/live?page=/');
    const reader = body?.getReader();
    assert.ok(reader);
    await one.close();
    const read = async () => {
      while (!(await reader.read()).done);
      return 'ended';
    };
    assert.equal(await read(), 'ended');
    assert.equal((await ask(one, '/shop/live?page=/')).status, 503);
  });

  it('are for 20 of one user, and not of one address, where users are asked who they are', async () => {
    const one = dashboards.make({ auth: { proxy: { header: 'x-user' } } });
    const bodies: (Response['body'] | undefined)[] = [];
    const follow = async (user: string) => {
      const answer = await ask(one, '/shop/live?page=/', { headers: { 'x-user': user } });
      bodies.push(answer.body);
      return answer.status;
    };
    for (let user = 0; user < 25; user += 1) assert.equal(await follow(`user ${user}`), 200, `${user}`);
    for (let tab = 1; tab < 20; tab += 1) assert.equal(await follow('user 0'), 200, `${tab}`);
    assert.equal(await follow('user 0'), 503);
    await Promise.all(bodies.map((body) => body?.cancel()));
  });

  describe('over connections', () => {
    const open: ClientRequest[] = [];
    afterEach(() => {
      for (const each of open.splice(0)) each.destroy();
    });
    const follow = async (url: string): Promise<IncomingMessage> => {
      const asked = request(`${url}shop/live?page=/`);
      open.push(asked);
      asked.on('error', () => {});
      asked.end();
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return answer;
    };

    it('are for 20 of one address: of 500 who come, the others are told when to come again, and all are let go at the end', async () => {
      const one = dashboards.make();
      const url = await one.listen({ port: 0 });
      const before = process.memoryUsage().heapUsed;
      const answers = await Promise.all(Array.from({ length: 500 }, () => follow(url)));
      const counts = new Map<number | undefined, number>();
      for (const { statusCode } of answers) counts.set(statusCode, (counts.get(statusCode) ?? 0) + 1);
      assert.deepEqual(Object.fromEntries(counts), { 200: 20, 503: 480 });
      const refused = answers.find(({ statusCode }) => statusCode === 503);
      assert.equal(refused?.headers['retry-after'], '30');
      // A page is answered meanwhile.
      assert.equal((await fetch(`${url}shop/`)).status, 200);
      assert.ok(process.memoryUsage().heapUsed - before < 100_000_000);
      const ends = answers
        .filter(({ statusCode }) => statusCode === 200)
        .map((each) => once(each.resume(), 'close'));
      await one.close();
      await Promise.all(ends);
    });

    it('leave their place to others once the reader has gone', async () => {
      const url = await dashboards.make().listen({ port: 0 });
      const readers = await Promise.all(Array.from({ length: 20 }, () => follow(url)));
      assert.equal((await follow(url)).statusCode, 503);
      readers[0]?.destroy();
      await eventually(async () => assert.equal((await follow(url)).statusCode, 200));
    });
  });
});

describe('readers of events', () => {
  const clock = new ManualClock();
  const feed = {
    ...{ freshMs: 1_000, clock, figures: () => ({}), problemOf: () => 'a problem' },
    begin: () => () => {},
  };
  const following = (key: string, who: string | undefined, load: () => Promise<unknown>) => ({
    ...{ key, who, greeting: '{}' },
    options: { ...feed, load },
  });

  it('are 100 at most, wherever they come from', () => {
    const live = new Live(clock);
    const follow = (index: number) => live.follow(following('/', `10.0.0.${index}`, async () => index));
    for (let index = 0; index < 100; index += 1) assert.ok(follow(index));
    assert.equal(follow(100), undefined);
    live.close();
    assert.equal(live.count, 0);
  });

  it('of the same page share its loads, and only what has changed is sent as a model', async () => {
    let loads = 0;
    let model = 'first';
    const told: string[] = [];
    let followed = 0;
    const one = new Feed({
      ...feed,
      begin: () => {
        followed += 1;
        return () => {
          followed -= 1;
        };
      },
      load: async () => {
        loads += 1;
        return model;
      },
    });
    const follower = (name: string): Follower => ({
      isFull: false,
      send: (event, data) => told.push(`${name} ${event} ${JSON.parse(data).model ?? ''}`.trim()),
    });
    const [ann, bob] = [follower('ann'), follower('bob')];
    one.add(ann);
    one.add(bob);
    await clock.advance(0);
    assert.deepEqual(told.splice(0), ['ann model first', 'bob model first']);
    await clock.advance(1_000);
    assert.deepEqual(told.splice(0), ['ann same', 'bob same']);
    model = 'second';
    await clock.advance(1_000);
    assert.deepEqual(told.splice(0), ['ann model second', 'bob model second']);
    assert.equal(loads, 3);
    one.remove(ann);
    assert.equal(followed, 1);
    one.remove(bob);
    assert.equal(followed, 0);
    await clock.advance(10_000);
    assert.equal(loads, 3);
  });

  it('who are full get the newest model when they are not any more', async () => {
    let model = 1;
    const told: string[] = [];
    const slow = {
      isFull: true,
      send: (event: string, data: string) => told.push(`${event} ${JSON.parse(data).model}`),
    };
    const one = new Feed({ ...feed, load: async () => model });
    one.add(slow);
    await clock.advance(1_000);
    model = 2;
    await clock.advance(1_000);
    assert.deepEqual(told, []);
    slow.isFull = false;
    await clock.advance(1_000);
    assert.deepEqual(told, ['model 2']);
    one.remove(slow);
  });

  it('are told that there is no model, and get one when there is', async () => {
    let isBroken = true;
    const told: string[] = [];
    const one = new Feed({
      ...feed,
      load: async () => {
        if (isBroken) throw new Error('a secret');
        return 'mended';
      },
    });
    const follower = { isFull: false, send: (event: string, data: string) => told.push(`${event} ${data}`) };
    one.add(follower);
    await clock.advance(0);
    assert.deepEqual(told.splice(0), ['problem {"message":"a problem"}']);
    isBroken = false;
    await clock.advance(1_000);
    assert.match(String(told), /^model .*"model":"mended"/);
    one.remove(follower);
  });

  it('who stop reading are sent away after two beats, with nothing more kept for them', async () => {
    const live = new Live(clock);
    const answer = live.follow(following('/big', undefined, async () => 'x'.repeat(1_000_000)));
    assert.ok(answer);
    await clock.advance(16_000);
    assert.equal(live.count, 1);
    await clock.advance(15_000);
    assert.equal(live.count, 0);
    await assert.rejects(async () => {
      const reader = answer.body?.getReader();
      while (!(await reader?.read())?.done);
    }, /the reader does not read/);
  });

  it('have to come again after an hour, by way of the gate', async () => {
    const live = new Live(clock);
    const { body } = live.follow(following('/', undefined, async () => 1)) ?? {};
    const reading = (async () => {
      let beats = 0;
      for await (const chunk of body ?? []) beats += Buffer.from(chunk).toString() === ':\n\n' ? 1 : 0;
      return beats;
    })();
    for (let minute = 0; minute <= 60; minute += 1) await clock.advance(60_000);
    assert.ok((await reading) > 200);
    assert.equal(live.count, 0);
  });
});
