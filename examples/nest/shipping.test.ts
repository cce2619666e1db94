import 'reflect-metadata';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Test } from '@nestjs/testing';
import { nestTestKit } from 'hopline/nest/testing';
import { AppModule } from './app.js';
import { OrderPlaced, OrderShipped } from './messages.js';
import { Shipments, Shipping } from './shipping.js';

class FakeShipments {
  readonly all: string[] = [];
}

const open = (shipments: FakeShipments) =>
  nestTestKit({
    module: () =>
      Test.createTestingModule({ imports: [AppModule] })
        .overrideProvider(Shipments)
        .useValue(shipments),
  });

test('an order is shipped, and told', async () => {
  const shipments = new FakeShipments();
  const kit = await open(shipments);

  await kit.publish(OrderPlaced, { id: 'A7', total: 400 }, { headers: { tenant: 'acme' } });
  await kit.settled();

  assert.deepEqual(shipments.all, ['A7 for acme, insured']);
  kit.published(OrderShipped).with({ id: 'A7' }).assertOnce();
  await kit.stop();
});

test('an order of nobody is a dead letter at once', async () => {
  const kit = await open(new FakeShipments());

  await kit.publish(OrderPlaced, { id: 'A7', total: 12 });
  await kit.settled();

  assert.equal(kit.deadLettered(`${Shipping.name}.onPlaced`).assertOnce().reason, 'unrecoverable');
  await kit.stop();
});
