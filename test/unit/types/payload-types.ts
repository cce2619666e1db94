import { z } from 'zod';
import {
  Handles,
  Idempotent,
  Queue,
  RateLimit,
  Replies,
  Retry,
  Timeout,
  Unique,
} from '../../../decorators/index.js';
import {
  type Bus,
  defineMessage,
  defineRequest,
  type HandleOptions,
  json,
  type MessageContext,
  type Published,
  type Publisher,
} from '../../../src/index.js';

/*
 * What must not compile, and what must. The build is the test: an error that is expected and doesn't come fails it, as
 * does any other. payload-types.test.ts sees to it that each expected error is the one that is meant: the code behind
 * `@ts-expect-error` is the compiler's.
 */

interface Order {
  readonly id: number;
}

const placed = defineMessage<Order>('order.placed');
const welcome = defineMessage('email.welcome', z.object({ email: z.string(), at: z.coerce.date() }));
const refunded = defineMessage('order.*.refunded', z.object({ id: z.number() }));
const anything = defineMessage('audit.#', z.object({ id: z.number() }));

const plain = { key: 'a', payload: 1 };

export function publishing(bus: Bus, publisher: Publisher, context: MessageContext): void {
  for (const each of [bus, publisher, context]) {
    void each.publish(placed, { id: 1 });
    void each.send(placed, { id: 1 }, { delay: '5m' });
    // @ts-expect-error TS2769: the id is no number
    void each.publish(placed, { id: '1' });
    // @ts-expect-error TS2769: the id is missing
    void each.send(placed, {});
    // @ts-expect-error TS2555: there is no payload at all
    void each.publish(placed);
    // @ts-expect-error TS2769: the delay has no unit
    void each.publish(placed, { id: 1 }, { delay: '5' });
    // @ts-expect-error TS2769: an unknown option
    void each.publish(placed, { id: 1 }, { dealy: '5m' });
  }
}

/** What each resolves to, of whichever publisher. */
export async function receipts(bus: Bus, publisher: Publisher, context: MessageContext): Promise<void> {
  for (const each of [bus, publisher, context]) {
    const one: Published[] = [
      await each.publish(placed, { id: 1 }),
      await each.send('order.placed', {}),
      await each.chain([plain]).dispatch(),
    ];
    const { count, confirmed } = await each.publishMany(placed, [{ id: 1 }]);
    const text: string[] = one.map(({ messageId }) => messageId);
    const due: (Date | undefined)[] = one.map(({ dueAt }) => dueAt);
    void [count.toFixed(), confirmed === true, text, due];
    // @ts-expect-error TS2339: many have no id
    void (await each.sendMany(placed, [{ id: 1 }])).messageId;
  }
  const { id, total, pending } = await bus.batch([plain]).dispatch();
  void [id.length, total - pending];
}

/** No builder is taken for a promise: an async function gives it as it is. */
export async function builders(bus: Bus): Promise<void> {
  const batch = await bus.batch([plain]).onSuccess(plain).onFailure(plain).onEnd(plain).onProgress(plain);
  const chain = await bus.chain([plain]).onFailure(plain);
  void [batch.dispatch(), chain.dispatch()];
  // @ts-expect-error TS2339: it has none
  void batch.then;
  // @ts-expect-error TS2339: nor has it
  void chain.then;
}

export function publishingWithSchema(bus: Bus): void {
  void bus.publish(welcome, { email: 'a@example.org', at: '2026-01-05' });
  // @ts-expect-error TS2769: the email is no string
  void bus.publish(welcome, { email: 7, at: new Date() });
  // @ts-expect-error TS2769: the address is misspelt
  void bus.send(welcome, { emial: 'a@example.org', at: new Date() });
}

export function publishingPatterns(bus: Bus): void {
  void bus.publish(refunded, { id: 1 }, { key: 'order.eu.refunded' });
  void bus.send(anything, { id: 1 }, { key: 'audit.login', priority: 3 });
  // @ts-expect-error TS2345: a pattern needs a concrete key
  void bus.publish(refunded, { id: 1 });
  // @ts-expect-error TS2345: so does one whose wildcard is #
  void bus.publish(anything, { id: 1 });
  // @ts-expect-error TS2769: options without the key are not enough
  void bus.publish(refunded, { id: 1 }, { delay: '5m' });
  // @ts-expect-error TS2769: the key does not excuse the payload
  void bus.send(anything, { id: 'x' }, { key: 'audit.login' });
}

export function chains(bus: Bus, publisher: Publisher, context: MessageContext): void {
  for (const each of [bus, publisher, context]) {
    each.chain([{ definition: placed, payload: { id: 1 }, delay: '5m' }, plain]);
    each.chain([{ definition: refunded, key: 'order.eu.refunded', payload: { id: 1 } }], { id: 'c' });
    // @ts-expect-error TS2322: the id of the second is no number
    each.chain([plain, { definition: placed, payload: { id: '1' } }]);
    // @ts-expect-error TS2322: a pattern needs a concrete key
    each.chain([{ definition: refunded, payload: { id: 1 } }]);
    // @ts-expect-error TS2322: nothing says which message it is
    each.chain([{ payload: 1 }]);
    // @ts-expect-error TS2322: an unknown option
    each.chain([{ key: 'a', payload: 1, dealy: '5m' }]);
    // @ts-expect-error TS2322: the failure step is a step like any other
    each.chain([plain]).onFailure({ definition: placed, payload: 7 });
  }
}

/** Each payload is its own definition's, whatever the other steps are. */
export function mixedChains(bus: Bus): void {
  const counted = defineMessage<number>('counted');
  bus.chain([{ definition: counted, payload: 7 }, { definition: placed, payload: { id: 7 } }, plain]);
  const seven = { definition: counted, payload: 7 };
  // @ts-expect-error TS2322: a step with another payload does not excuse this one
  bus.chain([seven, { definition: placed, payload: 7 }]);
  // @ts-expect-error TS2322: nor does a plain step, though this one has a key as well
  bus.chain([{ definition: anything, key: 'audit.login', payload: 7 }, plain]);
}

export function changedChains({ step }: MessageContext): void {
  step?.append({ definition: welcome, payload: { email: 'a@example.org', at: '2026-01-05' } });
  // @ts-expect-error TS2322: the id is no number
  step?.prepend({ definition: placed, payload: { id: 'one' } });
  // @ts-expect-error TS2322: nothing says which message it is
  step?.replace([{ payload: 1 }]);
}

export function chainsMadeElsewhere(bus: Bus, steps: { key: string; payload: unknown }[]): void {
  bus.chain(steps);
  bus.chain([...steps, { definition: placed, payload: { id: 1 } }]);
  bus.chain(steps.map(({ key }) => ({ key, payload: [key] })));
}

/** Plain keys stay free: nobody has said what their payload is. */
export function publishingPlainKeys(bus: Bus, key: string): void {
  void bus.publish('order.placed', { whatever: true });
  void bus.publish(key, undefined);
  void bus.send(`report.${key}`, [1, 'two'], { delay: 500 });
  // @ts-expect-error TS2769: a number is no key
  void bus.publish(7, {});
}

export function plainForm(bus: Bus): void {
  bus.handle(placed, (order) => order.id.toFixed(2));
  bus.handle(welcome, ({ email, at }, context) => `${email.trim()} ${at.getTime()} ${context.attempt}`);
  bus.handle([placed, refunded], ({ id }) => id.toFixed(2));
  bus.handle('order.placed', (order: { anything: boolean }) => order.anything);
  bus.handle(['a', 'b'], async () => {}, { queue: 'mine', retry: { tries: 3 } });
  // @ts-expect-error TS2345: the handler wants something else
  bus.handle(placed, (order: { total: number }) => order.total);
  // @ts-expect-error TS2339: the handler reads what isn't there
  bus.handle(placed, (order) => order.di);
  // @ts-expect-error TS2345: handlers get the schema's output, where the date is a Date
  bus.handle(welcome, (payload: { at: string }) => payload.at);
  // @ts-expect-error TS2345: one of the two definitions has no email
  bus.handle([placed, welcome], ({ email }: { email: string }) => email);
}

/** What an option is given of the payload is the definition's, too. */
export function optionsOfHandlers(bus: Bus): void {
  bus.handle(placed, () => {}, {
    retry: { retryUntil: ({ id }, context) => new Date(id + context.attempt) },
    rateLimit: { allow: 1, every: '1s', by: ({ id }) => id },
    idempotent: { by: ({ id }, { attempt }) => id + attempt },
    inbox: { by: ({ id }) => id },
    unique: { by: ({ id }) => id },
    failed: (error, { id }, { attempt }) => `${error.message} ${id.toFixed()} ${attempt}`,
  });
  bus.handle([placed, refunded], () => {}, { idempotent: { by: (either) => either.id } });
  // Of many in one call each message is asked about, or told of, by itself.
  bus.handle(placed, (orders) => orders.length, {
    bulk: { max: 10 },
    idempotent: { by: ({ id }) => id },
    failed: (_error, { id }) => id,
  });
  // Unique is what is given, not what the schema makes of it; all else is what the handler gets.
  bus.handle(welcome, () => {}, { unique: { by: ({ at }) => String(at) } });
  bus.handle(welcome, () => {}, { idempotent: { by: ({ at }) => at.getTime() } });
  // @ts-expect-error TS2339: the payload has no such field
  bus.handle(placed, () => {}, { rateLimit: { allow: 1, every: '1s', by: (order) => order.typo } });
  // @ts-expect-error TS2339: nor for this
  bus.handle(placed, () => {}, { idempotent: { by: (order) => order.typo } });
  // @ts-expect-error TS2339: nor for this
  bus.handle(placed, () => {}, { inbox: { by: (order) => order.typo } });
  // @ts-expect-error TS2339: nor for this
  bus.handle(placed, () => {}, { unique: { by: (order) => order.typo } });
  // @ts-expect-error TS2339: nor for this
  bus.handle(placed, () => {}, { retry: { retryUntil: (order) => order.typo } });
  // @ts-expect-error TS2339: nor for this
  bus.handle(placed, () => {}, { failed: (_error, order) => order.typo });
  // @ts-expect-error TS2339: nor for one message of many
  bus.handle(placed, () => {}, { bulk: {}, failed: (_error, orders) => orders.length });
  // @ts-expect-error TS2339: one of the two definitions has no email
  bus.handle([placed, welcome], () => {}, { idempotent: { by: ({ email }) => email } });
  // @ts-expect-error TS18046: what is sent may be anything that the schema makes a date of
  bus.handle(welcome, () => {}, { unique: { by: ({ at }) => at.getTime() } });
  // @ts-expect-error TS2769: a key is no date
  bus.handle(placed, () => {}, { idempotent: { by: () => new Date() } });
  // Nobody has defined these.
  bus.handle('order.*', () => {}, { failed: (_error, order) => order.typo });
  bus.handle(['a', placed], () => {}, { idempotent: { by: (either) => either.typo } });
}

@Handles(placed, {
  retry: { retryUntil: ({ id }) => new Date(id) },
  rateLimit: { allow: 1, every: '1s', by: ({ id }) => id },
  idempotent: { by: ({ id }) => id },
  unique: { by: ({ id }) => id },
})
export class OptionsOfClass {
  handle(): void {}

  failed(_error: Error, { id }: Order): number {
    return id;
  }
}

// @ts-expect-error TS2339: the payload has no such field
@Handles(placed, { idempotent: { by: (order) => order.typo } })
export class WrongOptionOfClass {
  handle(): void {}
}

// @ts-expect-error TS1238: its failed() wants another payload
@Handles(placed)
export class WrongFailed {
  handle(): void {}

  failed(_error: Error, _payload: { total: number }): void {}
}

// @ts-expect-error TS1238: its failed() is told of one message, though handle() gets many
@Handles(placed, { bulk: {} })
export class WrongFailedOfMany {
  handle(): void {}

  failed(_error: Error, _payloads: Order[]): void {}
}

@Handles(placed, { bulk: {} })
export class RightMany {
  handle(orders: Order[], contexts: MessageContext[]): number {
    return orders.length + contexts.length;
  }

  failed(_error: Error, { id }: Order): number {
    return id;
  }
}

// @ts-expect-error TS1238: its handle() wants one message, and gets many
@Handles(placed, { bulk: {} })
export class WrongMany {
  handle(_order: Order): void {}
}

export class ManyInMethods {
  @Handles(placed, { bulk: {} })
  right(orders: Order[]): number {
    return orders.length;
  }

  // @ts-expect-error TS1241: the method wants other payloads
  @Handles(placed, { bulk: {} })
  wrong(_orders: { total: number }[]): void {}

  // @ts-expect-error TS1241: the method wants one message
  @Handles(placed, { bulk: {} })
  one(_order: Order): void {}
}

abstract class Clock {
  abstract now(): Date;
}

class Mailer {
  readonly host = 'localhost';
}

const KEY = Symbol('key');

@Handles(placed, { inject: [Mailer, Clock, KEY, 'retries'] })
export class RightInjected {
  constructor(
    readonly mailer: Mailer,
    readonly clock: Clock,
    readonly key: string,
    readonly retries: number,
  ) {}

  handle(_order: Order): void {}
}

/** A parameter with a default may be left out. */
@Handles(placed, { inject: [Mailer] })
export class ShorterInjected {
  constructor(
    readonly mailer: Mailer,
    readonly retries = 3,
  ) {}

  handle(_order: Order): void {}
}

// @ts-expect-error TS1238: its constructor takes them in the other order
@Handles(placed, { inject: [Mailer, Clock] })
export class WronglyInjected {
  constructor(
    readonly clock: Clock,
    readonly mailer: Mailer,
  ) {}

  handle(_order: Order): void {}
}

// @ts-expect-error TS1238: its constructor takes one more
@Handles(placed, { bulk: {}, inject: [Mailer] })
export class TooFewInjected {
  constructor(
    readonly mailer: Mailer,
    readonly clock: Clock,
  ) {}

  handle(_orders: Order[]): void {}
}

// @ts-expect-error TS2769: a number is no token
@Handles(placed, { inject: [7] })
export class InjectedNumber {
  handle(_order: Order): void {}
}

export class NoMethods {
  // @ts-expect-error TS1240: a field is no method
  @Handles(placed)
  field = (_order: Order): void => {};

  // @ts-expect-error TS1240: nor for this
  @Retry({ tries: 3 })
  other = 1;

  // @ts-expect-error TS1241: nor is an accessor
  @Timeout('1s')
  get accessor(): number {
    return 1;
  }

  // @ts-expect-error TS1241: a queue is the class's
  @Queue({ name: 'q' })
  @Handles(placed)
  method(_order: Order): void {}
}

/** A decorator of its own can't see the other: its function says what it takes, and is held to that. */
@Handles(placed)
@RateLimit({ allow: 1, every: '1s', by: ({ id }: Order) => id })
@Idempotent<Order>({ by: ({ id }) => id })
// @ts-expect-error TS2322: nobody has said what the payload is
@Unique({ by: ({ id }) => id })
// @ts-expect-error TS18046: nor here
@Retry({ retryUntil: (order) => order.due })
export class OptionsApart {
  handle(): void {}

  // @ts-expect-error TS2339: an order has no such field
  @RateLimit<Order>({ allow: 1, every: '1s', by: ({ typo }) => typo })
  @Handles(placed, { inbox: { by: ({ id }) => id } })
  method(): void {}
}

/** What its body is read as is the payload of a plain key; of a definition it is what that says. */
export function bodies(bus: Bus, options: HandleOptions): void {
  bus.handle('plant.switch', (state) => state.trim(), { body: 'text' });
  bus.handle('plant.photo', (photo) => photo.readUInt8(0), { body: 'bytes', retry: { tries: 2 } });
  bus.handle(['a', 'b'], (texts: string[]) => texts.map((text) => text.trim()), { body: 'text', bulk: {} });
  bus.handle('plant.log', (rows: number[][]) => rows.flat(), { body: { deserialize: () => [[1]] } });
  bus.handle('order.placed', (order: { anything: boolean }) => order.anything, { body: 'json' });
  bus.handle('order.placed', (order: { anything: boolean }) => order.anything, options);
  bus.handle(welcome, ({ at }) => at.getTime(), { body: json({ strict: true }) });
  // @ts-expect-error TS2339: a text is no Buffer
  bus.handle('plant.switch', (state) => state.byteLength, { body: 'text' });
  // @ts-expect-error TS2769: and bytes are no text
  bus.handle('plant.photo', (photo: string) => photo, { body: 'bytes' });
  // @ts-expect-error TS2769: there is no such reading
  bus.handle('plant.photo', () => {}, { body: 'xml' });
}

@Handles('plant.photo', { body: 'bytes' })
export class RightBytes {
  handle(photo: Buffer): number {
    return photo.byteLength;
  }
}

// @ts-expect-error TS1238: its handle() wants a text, and gets bytes
@Handles('plant.photo', { body: 'bytes' })
export class WrongBytes {
  handle(_photo: string): void {}
}

@Handles(welcome)
export class RightClass {
  handle({ email, at }: { email: string; at: Date }, context: MessageContext): string {
    return `${email} ${at.getTime()} ${context.attempt}`;
  }
}

// @ts-expect-error TS1238: its handle() wants another payload
@Handles(welcome)
export class WrongClass {
  handle(_payload: { total: number }): void {}
}

// @ts-expect-error TS1238: it has no handle()
@Handles('order.placed')
export class Handleless {
  process(): void {}
}

@Handles('order.placed')
export class FreeClass {
  handle(_payload: { anything: boolean }): void {}
}

export class Methods {
  @Handles(placed)
  right(_order: Order): void {}

  @Handles(placed)
  less(): void {}

  @Handles([placed, refunded])
  both({ id }: { id: number }): number {
    return id;
  }

  @Handles('order.*')
  free(_payload: { anything: boolean }): void {}

  // @ts-expect-error TS1241: the method wants another payload
  @Handles(placed)
  wrong(_order: { total: number }): void {}

  // @ts-expect-error TS1241: the second argument is the context
  @Handles(placed)
  wrongContext(_order: Order, _count: number): void {}
}

const GetPrice = defineRequest('price.get', {
  request: z.object({ product: z.string(), at: z.coerce.date() }),
  reply: z.object({ cents: z.number() }),
});
const GetName = defineRequest<number, string>('name.get');

export function replyingTo(bus: Bus): void {
  bus.reply(GetPrice, ({ product, at }) => ({ cents: product.length + at.getTime() }));
  bus.reply(GetName, async (id) => id.toFixed(), { timeout: '5s', repeatable: true, queue: 'names' });
  // @ts-expect-error TS2322: the reply has no cents
  bus.reply(GetPrice, () => ({ euros: 1 }));
  // @ts-expect-error TS2322: a number is no name
  bus.reply(GetName, (id) => id);
  // @ts-expect-error TS2353: a request is tried once
  bus.reply(GetName, (id) => id.toFixed(), { retry: { tries: 3 } });
}

@Replies(GetPrice)
export class Prices {
  handle({ at }: { product: string; at: Date }): { cents: number } {
    return { cents: at.getTime() };
  }
}

// @ts-expect-error TS1238: its handle() returns no price
@Replies(GetPrice)
export class WrongPrices {
  handle(): string {
    return '1';
  }
}

export class Names {
  @Replies(GetName, { showStack: true })
  async name(id: number): Promise<string> {
    return id.toFixed();
  }

  // @ts-expect-error TS1241: it returns no name
  @Replies(GetName)
  wrong(id: number): number {
    return id;
  }
}

class Money {
  constructor(readonly cents: number) {}
  add(other: Money): Money {
    return new Money(this.cents + other.cents);
  }
}

export async function partsDoneOnce(context: MessageContext): Promise<void> {
  const paid = await context.once('charge', async (key) => ({ id: 7, key, at: new Date() }));
  const at: string = paid.at;
  const id: number = paid.id + at.length;
  // @ts-expect-error TS2339: it comes from JSON, and is no Date any more
  paid.at.getTime();
  const money = await context.once('price', () => new Money(id));
  // @ts-expect-error TS2349: nor has a class its methods
  money.add(money);
  await context.once('mail', () => {}, { keep: '30d' });
  const list: readonly string[] = await context.once('dates', () => [new Date()]);
  // @ts-expect-error TS2561: an unknown option
  await context.once('mail', () => list, { kep: '30d' });
}

export function statesOfJobs(bus: Bus): void {
  bus.handle(placed, async (_order, context: MessageContext<{ page: number; at: Date }>) => {
    const page: number = context.state?.page ?? 0;
    // @ts-expect-error TS18048: there may be none
    const next: number = context.state.page + page;
    // @ts-expect-error TS2339: it comes from JSON, and is no Date any more
    context.state?.at.getTime();
    await context.checkpoint({ page: next, at: new Date() });
    // @ts-expect-error TS2322: a page is a number
    return context.yield({ page: 'next', at: new Date() });
  });
  bus.handle(placed, (_order, context) => context.yield({ anything: context.state?.anything }), {
    resumable: { keep: '30d' },
  });
  // @ts-expect-error TS2769: there is no half of it
  bus.handle(placed, () => {}, { resumable: 'half' });
}

export const uniqueOrder = defineMessage<Order>('order.sync', undefined, {
  unique: { by: ({ id }) => String(id) },
});
export const uniqueWelcome = defineMessage(
  'email.sync',
  z.object({ at: z.coerce.date().default(new Date()) }),
  {
    // What is given, not what the schema makes of it.
    unique: { by: ({ at }) => String(at ?? 'now') },
  },
);
export const wronglyUnique = defineMessage<Order>('order.sync', undefined, {
  // @ts-expect-error TS2339: an order has no email
  unique: { by: ({ email }) => String(email) },
});

export function sendingUnique(bus: Bus): void {
  void bus.send(placed, { id: 1 }, { unique: { key: '1', for: '10m', until: 'started' } });
  // @ts-expect-error TS2769: a send needs its key
  void bus.send(placed, { id: 1 }, { unique: { keep: 'last' } });
  // @ts-expect-error TS2769: many can't have the same key
  void bus.sendMany(placed, [{ id: 1 }], { unique: { key: '1' } });
  // @ts-expect-error TS2322: a step of a chain is never unique
  bus.chain([{ ...plain, unique: { key: '1' } }]);
}
