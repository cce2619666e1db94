import assert from 'node:assert/strict';
import { HEADER } from '../../src/message/headers.js';
import { eventually } from '../support/eventually.js';
import { SCENE_TIMEOUT_MS, Scene } from './support/scene.js';
import type { BuriedLetter } from './support/shop.js';
import type { Visitor } from './support/visitor.js';

/** What would be a script, a tag, an attribute, or another order of letters, if it were not text. */
const WILD = [
  '<script>globalThis.wasHere = true</script>',
  '"><img src=x onerror="globalThis.wasHere = true">',
  "'-alert(1)-'",
  '</script><script>globalThis.wasHere = true</script>',
  '\u202egnp.exe\u202c',
  '{{constructor.constructor("globalThis.wasHere = true")()}}',
  'javascript:globalThis.wasHere=true',
  '<!--<script>',
  '\u2028\u2029\u0000\uFFFE',
] as const;

/** AMQP's short strings hold it, and no address does. */
const withoutNul = (text: string): string => text.replaceAll('\u0000', '');

/** Without what has no width of its own: a page may leave it out, or show it as a sign. */
const printed = (text: string): string => text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '').trim();

const LARGE: Readonly<Record<string, () => Buffer>> = {
  'ten megabytes of text': () => Buffer.from(JSON.stringify({ text: 'x'.repeat(10_000_000) })),
  'a million elements': () =>
    Buffer.from(JSON.stringify(Array.from({ length: 1_000_000 }, (_none, place) => place))),
  'ten thousand levels': () => Buffer.from(`${'['.repeat(10_000)}${']'.repeat(10_000)}`),
  'one line of bytes': () => Buffer.alloc(2_000_000, 0xff),
};

const idOfWild = (place: number): string => withoutNul(`wild-${place}-${WILD[place]}`);
const idOfLarge = (what: string): string => `large-${what.replaceAll(' ', '-')}`;
/** An id that would be an address of a script. */
const SCRIPT_ID = 'javascript:globalThis.wasHere=true';

describe('what publishers and handlers write', function () {
  this.timeout(120_000);
  let scene: Scene;
  let visitor: Visitor;

  before(async function () {
    this.timeout(SCENE_TIMEOUT_MS);
    scene = await Scene.open({
      options: {
        links: {
          trace: 'https://traces.example.org/{traceId}?m={messageId}',
          logs: 'https://logs.example.org/?q={correlationId}',
        },
      },
    });
    // All before anybody looks: of letters that no handler has given up, the index hears only when it reads the queue again.
    for (const letter of hostileLetters()) await scene.shop.bury(scene.shop.mail, letter);
  });
  beforeEach(async () => {
    visitor = await scene.visitor();
  });
  afterEach(() => scene.visitorsLeave());
  after(() => scene.close());

  const headersOf = (error: string) => ({
    [HEADER.queue]: scene.shop.mail,
    [HEADER.routingKey]: 'mail.due',
    [HEADER.reason]: 'exhausted',
    [HEADER.failedAt]: new Date().toISOString(),
    [HEADER.error]: error,
  });

  function hostileLetters(): readonly BuriedLetter[] {
    const wild = WILD.map((text, place): BuriedLetter => {
      const error = `WildError: wild ${'abcdefghi'[place]} ${text}`;
      return {
        messageId: idOfWild(place),
        body: Buffer.from(JSON.stringify({ [text]: text })),
        headers: {
          ...headersOf(error),
          [HEADER.stack]: `${error}\n    at ${text}`,
          [withoutNul(text)]: text,
        },
      };
    });
    const large = Object.entries(LARGE).map(
      ([what, body]): BuriedLetter => ({
        messageId: idOfLarge(what),
        body: body(),
        headers: headersOf(`LargeError: ${what}`),
      }),
    );
    const linked: BuriedLetter = {
      messageId: SCRIPT_ID,
      body: Buffer.from('{}'),
      headers: {
        ...headersOf('LinkError: no'),
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      },
    };
    const secretive: BuriedLetter = {
      messageId: 'secretive',
      body: Buffer.from(JSON.stringify({ user: 'ada', password: 'hunter2', nested: { api_key: 'hunter3' } })),
      headers: { ...headersOf('SecretError: no'), authorization: 'Bearer hunter4' },
    };
    return [...wild, ...large, linked, secretive];
  }

  const messagePath = (id: string) =>
    `/messages/${encodeURIComponent(`${scene.shop.mail}.dead`)}/${encodeURIComponent(id)}`;

  /** Opens the page of a message once its whole letter is there. */
  async function read(id: string): Promise<string> {
    const { page, address } = visitor;
    const asked = async () => (await page.request.get(`${address}${messagePath(id)}`)).status();
    await eventually(async () => assert.equal(await asked(), 200), { timeout: 30_000, interval: 200 });
    await visitor.go(messagePath(id));
    const main = page.locator('main');
    await eventually(async () => assert.match(await main.innerText(), /Body/), { timeout: 30_000 });
    return main.innerText();
  }

  const wasHere = () => visitor.page.evaluate('globalThis.wasHere ?? false');

  for (const [place, wild] of WILD.entries())
    it(`is text in bodies, headers, errors and ids: ${JSON.stringify(wild)}`, async () => {
      const text = await read(idOfWild(place));
      assert.ok(printed(text).includes(printed(wild)), text.slice(0, 2_000));
      for (const path of ['/failures', `/search?q=${encodeURIComponent(wild)}`, '/']) {
        assert.equal(await visitor.go(path), 200);
        assert.equal(await wasHere(), false, path);
      }
      assert.deepEqual(await visitor.page.locator('#page script, #page img').count(), 0);
    });

  it('leads nowhere but where it says: a link has no other scheme than http and https', async () => {
    await read(SCRIPT_ID);
    const schemes = await visitor.page.evaluate<string[]>(
      '[...new Set([...document.querySelectorAll("a[href]")].map((link) => new URL(link.href).protocol))].sort()',
    );
    assert.deepEqual(
      schemes.filter((scheme) => scheme !== 'http:' && scheme !== 'https:'),
      [],
    );
  });

  for (const what of Object.keys(LARGE))
    it(`freezes no page: ${what}`, async () => {
      await read(idOfLarge(what));
      const length = await visitor.page.evaluate<number>('document.documentElement.outerHTML.length');
      assert.ok(length < 2_000_000, `the page has ${length} characters`);
      const began = performance.now();
      await visitor.page.evaluate(
        'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))',
      );
      assert.ok(performance.now() - began < 1_000);
      assert.equal(await visitor.overflow(), 0);
    });

  it('is hidden where its name says that it is secret', async () => {
    await read('secretive');
    const html = await visitor.page.content();
    assert.match(html, /ada/);
    assert.doesNotMatch(html, /hunter/);
  });
});
