import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../../../util/clock.js';
import type { Logger } from '../../../util/logger.js';
import { Attempts, type Place } from './attempts.js';
import type { Admission, Arrival, Gate, Refusal } from './gate.js';
import { COST, isPassword, type KeptPassword } from './password.js';
import type { KnownUser } from './users-file.js';

/** Time for which a password that was right is right without being checked again. */
const TRUST_MS = 300_000;
const MAX_TRUSTED = 1_000;

/** Wrong passwords within a minute, of one address for one name, and of one address: behind a proxy that is everybody's. */
const MAX_WRONG = 10;
const MAX_WRONG_OF_PEER = 100;

/** What a wrong password counts for. By name, since a proxy's address is everybody's: one guesser must not shut all others out. */
const placesOf = (peer: string | undefined, name: string): readonly Place[] => [
  { name: JSON.stringify([peer, name]), most: MAX_WRONG },
  ...(peer === undefined ? [] : [{ name: peer, most: MAX_WRONG_OF_PEER }]),
];

const ASK: Refusal = {
  status: 401,
  why: 'Log in with your name and password.',
  headers: { 'www-authenticate': 'Basic realm="Hopline", charset="UTF-8"' },
};

/** In place of the password of a user that there is not, so that the answer takes as long. */
const NOBODY: KeptPassword = {
  ...COST,
  ...{ salt: randomBytes(16), hash: randomBytes(32) },
};

/** Asks the browser for name and password, and checks them against the file of users. */
export class UsersGate implements Gate {
  readonly asks = true;
  private readonly attempts: Attempts;
  private readonly key = randomBytes(32);
  /** Monotonic time until which they are trusted, by a digest of name and password. */
  private readonly trusted = new Map<string, number>();

  constructor(
    private readonly users: ReadonlyMap<string, KnownUser>,
    private readonly clock: Clock,
    private readonly log: Pick<Logger, 'warn'>,
  ) {
    this.attempts = new Attempts(clock);
  }

  async admit({ request, peer }: Arrival): Promise<Admission> {
    const given = credentialsIn(request.headers.get('authorization') ?? '');
    if (!given) return ASK;
    const { name, password } = given;
    const user = this.users.get(name);
    const digest = createHmac('sha256', this.key).update(`${name}:${password}`).digest('base64');
    if (user && (this.trusted.get(digest) ?? 0) > this.clock.monotonic()) {
      // Whoever is at work is not asked again while somebody else guesses.
      this.trust(digest);
      return user;
    }
    const places = placesOf(peer, name);
    const waitMs = Math.max(...places.map((place) => this.attempts.waitMs(place)));
    if (waitMs > 0) return tooMany(waitMs);
    const isRight = await this.attempts.checked(() => isPassword(password, user?.password ?? NOBODY));
    if (isRight === undefined) return busy;
    if (user && isRight) {
      this.trust(digest);
      return user;
    }
    this.wrong(places, { peer, user: user && name });
    return ASK;
  }

  /** @param fields the name only of a user that there is: another may be a password in the wrong field */
  private wrong(places: readonly Place[], fields: object): void {
    const isLast = places.map((place) => this.attempts.failed(place)).includes(true);
    const so = isLast ? 'a wrong password for the dashboard, the last that is tried for a minute' : undefined;
    this.log.warn(fields, so ?? 'a wrong password for the dashboard');
  }

  private trust(digest: string): void {
    this.trusted.delete(digest);
    const [first] = this.trusted.keys();
    if (this.trusted.size >= MAX_TRUSTED && first !== undefined) this.trusted.delete(first);
    this.trusted.set(digest, this.clock.monotonic() + TRUST_MS);
  }
}

const tooMany = (waitMs: number): Refusal => ({
  status: 429,
  why: 'Too many wrong passwords have come from here. Wait a minute.',
  headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
});

const busy: Refusal = {
  status: 503,
  why: 'Too many passwords are being checked at once. Try again in a moment.',
  headers: { 'retry-after': '5' },
};

function credentialsIn(header: string): { readonly name: string; readonly password: string } | undefined {
  const [, encoded] = /^Basic ([\w+/=-]{1,2000})$/i.exec(header) ?? [];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
