import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { changedSince } from '../../src/dashboard/client/live/greeting.js';
import { Pressing } from '../../src/dashboard/client/live/pressing.js';

describe('a page that is pressed', () => {
  const around = new EventTarget();
  const of = new EventTarget();
  const tell = (target: EventTarget, type: string, button = 0) =>
    target.dispatchEvent(Object.assign(new Event(type), { button }));

  it('is drawn with the latest model once the button is lifted', async () => {
    const pressing = new Pressing(of, around);
    const drawn: number[] = [];
    tell(of, 'pointerdown');
    for (const model of [1, 2]) pressing.whenFree(() => drawn.push(model));
    assert.equal(drawn.length, 0);
    tell(around, 'pointerup');
    await pause(1);
    assert.deepEqual(drawn, [2]);
    pressing.whenFree(() => drawn.push(3));
    assert.deepEqual(drawn, [2, 3]);
  });

  it('goes on being drawn after a click that opens a menu, of which no end is told', () => {
    const pressing = new Pressing(of, around);
    let count = 0;
    tell(of, 'pointerdown', 2);
    pressing.whenFree(() => {
      count += 1;
    });
    assert.equal(count, 1);
  });
});

describe('a page whose server was started again', () => {
  const page = { script: '/assets/client-1.js', boot: 'a' };

  it('is outdated by another version, and only its forms by another start of the same', () => {
    assert.equal(changedSince(page, { ...page }), undefined);
    assert.equal(changedSince(page, { script: '/assets/client-2.js', boot: 'b' }), 'updated');
    assert.equal(changedSince(page, { ...page, boot: 'b' }), 'restarted');
    assert.equal(changedSince(page, { script: page.script }), undefined);
    assert.equal(changedSince({ script: page.script }, { ...page }), undefined);
  });
});
