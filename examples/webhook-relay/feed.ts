import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Account } from './account.js';
import type { Incoming, Input, Rejected } from './input.js';
import { sign } from './signature.js';

export interface FeedOptions {
  readonly intakeUrl: string;
  readonly secret: string;
  readonly account: Account;
  readonly signal: AbortSignal;
  readonly onRejected: (rejected: Rejected) => void;
}

/** Requests under way at once. */
const CONCURRENCY = 16;

/** How often a request is made that gets no final answer. */
const ATTEMPTS = 5;

/** Plays GitHub: POSTs every event, again with the same id until it is accepted or refused. */
export async function feed(input: Input, options: FeedOptions): Promise<void> {
  const events = input[Symbol.asyncIterator]();
  const work = async () => {
    for (;;) {
      const { done, value } = await events.next();
      if (done || options.signal.aborted) return;
      if ('reason' in value) options.onRejected(value);
      else await offer(value, options);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

async function offer(incoming: Incoming, { account, onRejected, ...options }: FeedOptions): Promise<void> {
  const id = randomUUID();
  account.offer(id, incoming.key);
  const answer = await post(incoming, id, options);
  if (answer === 'accepted') account.confirm(id);
  if (typeof answer === 'object') {
    account.withdraw(id);
    onRejected({ source: incoming.source, reason: answer.refused });
  }
}

/** How a request ended. `unknown`: it may have been published or not. */
type Answer = 'accepted' | { readonly refused: string } | 'unknown';

async function post(
  { path, event, body }: Incoming,
  id: string,
  { intakeUrl, secret, signal }: Pick<FeedOptions, 'intakeUrl' | 'secret' | 'signal'>,
): Promise<Answer> {
  const headers = {
    'Content-Type': 'application/json',
    'X-GitHub-Delivery': id,
    'X-Hub-Signature-256': sign(secret, body),
    ...(event === undefined ? {} : { 'X-GitHub-Event': event }),
  };
  for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt += 1) {
    try {
      const response = await fetch(intakeUrl + path, { method: 'POST', headers, body, signal });
      const text = await response.text();
      if (response.ok) return 'accepted';
      if (response.status < 500) return { refused: text };
    } catch {
      // No answer: the next attempt tells.
    }
    await pause(200 * attempt, undefined, { signal }).catch(() => {});
  }
  return 'unknown';
}
