import assert from 'node:assert/strict';
import type { HandlerDefinition } from '../../../src/consume/handlers/definition.js';
import { planSubscriptions } from '../../../src/consume/handlers/subscription.js';
import { defineRequest } from '../../../src/message/requests/define-request.js';
import { problemsOf } from '../option-problems.js';

const GetPrice = defineRequest<string, number>('price.get');

const defaults = {
  service: 'shop',
  exchange: { name: 'hopline.events', declare: true },
  concurrency: 10,
  retry: { tries: 5 },
  timeoutMs: 60_000,
  hasInbox: true,
  hasCheckpoints: true,
  hasSemaphores: true,
};

const define = (name: string, given: Partial<HandlerDefinition> = {}): HandlerDefinition => ({
  ...{ name, patterns: [`${name}.key`], queue: {}, options: {}, handle: () => {} },
  ...given,
});

const responder = (given: Partial<HandlerDefinition> = {}): HandlerDefinition => ({
  ...define('price'),
  patterns: [GetPrice],
  answers: { request: GetPrice },
  ...given,
});

const problems = (...definitions: HandlerDefinition[]) =>
  problemsOf(() => planSubscriptions(definitions, defaults));

describe('responders', () => {
  it('have a queue of requests beside the one that they belong to, and one try whatever the bus says', () => {
    const [requests] = planSubscriptions([responder({ queue: { ownName: 'Prices' } })], defaults);
    assert.deepEqual(
      [requests?.queue, requests?.kind, requests?.type],
      ['shop.Prices.requests', 'requests', 'classic'],
    );
    const [handler] = requests?.handlers ?? [];
    assert.equal(handler?.retry.tries, 1);
    assert.deepEqual(handler?.answers, { request: GetPrice, isRepeatable: false, showStack: false });
  });

  it('can not have options that would have a request come later, or without a reply, and are told why', () => {
    const refused = {
      retry: { tries: 3 },
      failOnTimeout: true,
      rateLimit: { allow: 1, every: '1s' },
      idempotent: {},
      inbox: {},
      resumable: true,
      unique: { by: () => 'x' },
      bulk: {},
    } as const;
    for (const [name, value] of Object.entries(refused)) {
      const [problem, ...others] = problems(responder({ options: { [name]: value } }));
      assert.match(problem ?? '', new RegExp(`^price: it answers requests, and can't have ${name}: \\w`));
      assert.deepEqual(others, []);
    }
    assert.match(problems(responder({ failed: () => {} }))[0] ?? '', /can't have failed\(\): /);
    assert.deepEqual(problems(responder({ options: { retry: {}, timeout: '5s', concurrency: 2 } })), []);
  });

  it('have options of their own, which are checked', () => {
    const answers = { request: GetPrice, repeatable: 'yes', shwoStack: true } as never;
    assert.deepEqual(problems(responder({ answers })), [
      'price: unknown option shwoStack, did you mean showStack?',
      'price: expected repeatable to be true or false, got "yes"',
    ]);
    const noRequest = { request: { key: 'price.get' } } as never;
    assert.match(problems(responder({ answers: noRequest }))[0] ?? '', /made by defineRequest\(\)/);
  });

  it('share no queue with handlers of messages, and have no lanes and no priorities', () => {
    assert.deepEqual(problems(responder(), define('mails', { queue: { name: 'shop.requests' } })), [
      "queue 'shop.requests' has the requests of price, and mails handles messages there: give one of them another queue",
    ]);
    const [lanes, priorities] = problems(
      responder({ queue: { lanes: ['high', 'default'], maxPriority: 5, type: 'classic' } }),
    );
    assert.match(lanes ?? '', /has requests, which have no lanes/);
    assert.match(priorities ?? '', /has requests, which have no priorities/);
  });
});
