import { type Clock, systemClock, type Timer } from '../../../util/clock.js';
import { LiveClient } from './client.js';
import { Feed, type FeedOptions } from './feed.js';

/** Readers at once, of all, and of one user, or of one address where nobody says who he is. */
const MAX_CLIENTS = 100;
const MAX_OF_ONE = 20;

const BEAT_MS = 15_000;

/** Beats for which a reader may be full: then it is sent away. */
const MAX_FULL_BEATS = 2;

/** Beats after which a reader has to come again, by way of the gate. */
const MAX_BEATS = 240;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  // Else a proxy in front may keep the events back.
  'x-accel-buffering': 'no',
};

/** What a reader asks for. */
export interface Following {
  /** Page and query: whoever has the same shares a feed. */
  readonly key: string;
  /** Who reads: a user or an address; undefined if neither is known. */
  readonly who: string | undefined;
  /** Data of the first event. */
  readonly greeting: string;
  readonly options: FeedOptions;
}

interface Reader {
  readonly who: string | undefined;
  beats: number;
  fullBeats: number;
}

/** Those who follow pages, and what each page gives them. */
export class Live {
  private readonly readers = new Map<LiveClient, Reader>();
  private readonly feeds = new Map<string, Feed>();
  private timer: Timer | undefined;
  private isClosed = false;

  constructor(private readonly clock: Clock = systemClock) {}

  get count(): number {
    return this.readers.size;
  }

  /** @returns undefined if there are too many readers */
  follow({ key, who, greeting, options }: Following): Response | undefined {
    if (this.isClosed || !this.hasRoomFor(who)) return undefined;
    const feed = this.feeds.get(key) ?? new Feed(options);
    this.feeds.set(key, feed);
    const client = new LiveClient(() => this.forget(key, feed, client));
    this.readers.set(client, { who, beats: 0, fullBeats: 0 });
    client.send('hello', greeting);
    feed.add(client);
    this.timer ??= this.clock.setTimer(() => this.beat(), BEAT_MS);
    return new Response(client.body, { headers: HEADERS });
  }

  /** Ends all, for good. */
  close(): void {
    this.isClosed = true;
    for (const client of [...this.readers.keys()]) client.close();
    this.timer?.cancel();
  }

  private hasRoomFor(who: string | undefined): boolean {
    if (this.readers.size >= MAX_CLIENTS) return false;
    if (who === undefined) return true;
    const own = [...this.readers.values()].filter((reader) => reader.who === who);
    return own.length < MAX_OF_ONE;
  }

  private forget(key: string, feed: Feed, client: LiveClient): void {
    this.readers.delete(client);
    feed.remove(client);
    if (!feed.isFollowed && this.feeds.get(key) === feed) this.feeds.delete(key);
  }

  private beat(): void {
    for (const [client, reader] of [...this.readers]) {
      reader.beats += 1;
      reader.fullBeats = client.isFull ? reader.fullBeats + 1 : 0;
      if (reader.fullBeats >= MAX_FULL_BEATS) client.drop();
      else if (reader.beats >= MAX_BEATS) client.close();
      else if (!client.isFull) client.beat();
    }
    this.timer = this.readers.size > 0 ? this.clock.setTimer(() => this.beat(), BEAT_MS) : undefined;
  }
}
