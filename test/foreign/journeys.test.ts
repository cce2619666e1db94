import assert from 'node:assert/strict';
import Table from 'cli-table3';
import { changedHeaders, changedProperties, entriesOf, type Place } from './changes.js';
import type { ForeignClient } from './clients.js';
import { installed } from './installed.js';
import { type Journey, journeysOf, type Stop } from './journey.js';

/** A broker boots first, and may have to be unpacked. */
const ONCE_MS = 300_000;

/** Where each message is looked at, beside its original. */
const PLACES = {
  deadLetter: 'dead',
  replayed: 'in its queue',
  deadAgain: 'dead',
  republished: 'republished',
} as const satisfies Record<Stop, Place>;

const STOPS = Object.keys(PLACES) as Stop[];

const nameOf = ({ original }: Journey): string => original.routingKey.replace(/^keys-\d+\./, '');

const changes = (journeys: readonly Journey[], of: (journey: Journey) => string[]): string[] =>
  journeys.flatMap((journey) => of(journey).map((change) => `${nameOf(journey)}: ${change}`));

const headersChanged = (journeys: readonly Journey[], stop: Stop): string[] =>
  changes(journeys, (journey) => changedHeaders(journey.original, journey[stop]));

/** JSON that no handler was given. */
const refused = (journeys: readonly Journey[]): string[] =>
  journeys.filter(({ kind, attempts }) => kind === 'json' && attempts.length === 0).map(nameOf);

const report: (string | number)[][] = [];

function reportOn({ name }: ForeignClient, journeys: readonly Journey[]): void {
  const json = journeys.filter(({ kind }) => kind === 'json').length;
  const entries = journeys.reduce((sum, { original }) => sum + entriesOf(original), 0);
  const changed = STOPS.map((stop) => headersChanged(journeys, stop).length);
  report.push([name, journeys.length, `${refused(journeys).length} of ${json}`, entries, ...changed]);
}

for (const client of await installed())
  describe(`messages of ${client.name}`, function () {
    this.timeout(60_000);
    let journeys: readonly Journey[];

    before(async function () {
      this.timeout(ONCE_MS);
      journeys = await journeysOf(client);
      reportOn(client, journeys);
    });

    it('are read as JSON where they are, whatever they say of themselves', () => {
      assert.deepEqual(refused(journeys), []);
    });

    it('are handled on both tries, whatever their bodies are', () => {
      const attempts = journeys.map((journey) => [nameOf(journey), journey.attempts.length]);
      assert.deepEqual(
        attempts.filter(([, many]) => many !== 4),
        [],
      );
    });

    for (const stop of STOPS)
      it(`have every header entry as it was, tag and value: ${stop}`, () => {
        assert.deepEqual(headersChanged(journeys, stop), []);
      });

    for (const stop of STOPS)
      it(`have every property as it was: ${stop}`, () => {
        const changed = changes(journeys, (journey) =>
          changedProperties(journey.original, journey[stop], PLACES[stop]),
        );
        assert.deepEqual(changed, []);
      });
  });

after(() => {
  if (report.length === 0) return;
  const head = [
    'client',
    'messages',
    'JSON refused',
    'header entries',
    ...STOPS.map((stop) => `changed: ${stop}`),
  ];
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...report);
  console.log(`\nheader entries and bodies that did not stay as their client sent them\n${table}`);
});
