import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import { openConfirmChannel } from '../../src/transport/amqp/channel.js';
import { sharedBroker } from '../support/global-setup.js';

/** What Hopline takes hold of inside the client library: an update that moves it must not pass in silence. */
describe('the client library that is installed', () => {
  it('lets frames go to its socket without its streams: a hundred publishes of one turn in one write', async () => {
    const model = await connect((await sharedBroker()).url);
    try {
      const channel = await openConfirmChannel(model);
      const { stream } = model.connection as unknown as { stream: { write(bytes: Buffer): boolean } };
      const write = stream.write.bind(stream);
      const writes: number[] = [];
      stream.write = (bytes) => {
        writes.push(bytes.length);
        return write(bytes);
      };
      await Promise.all(
        Array.from(
          { length: 100 },
          () =>
            new Promise<void>((resolve, reject) => {
              channel.publish('', 'nobody', Buffer.from('{}'), {}, (error) =>
                error ? reject(error) : resolve(),
              );
            }),
        ),
      );
      assert.equal(writes.length, 1, `writes of ${writes} bytes`);
    } finally {
      await model.close();
    }
  });
});
