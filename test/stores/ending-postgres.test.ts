import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import pg from 'pg';
import { postgresStores } from '../../src/stores/postgres/index.js';

/** A message of the protocol: its type, its length, its content (https://www.postgresql.org/docs/current/protocol-message-formats.html). */
function message(type: string, content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, 'latin1');
  head.writeInt32BE(content.length + 4, 1);
  return Buffer.concat([head, content]);
}

const AUTHENTICATED = message('R', Buffer.from([0, 0, 0, 0]));
const READY = message('Z', Buffer.from('I'));
const SHUTTING_DOWN = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0', 'latin1'),
);

describe('a connection to PostgreSQL that ends in the moment in which it is opened', () => {
  let server: Server;
  let pool: pg.Pool;

  beforeEach(async () => {
    // Ready, and gone: in one packet, as when the server is shut down just then.
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.concat([AUTHENTICATED, READY, SHUTTING_DOWN])));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    pool = new pg.Pool({ host: '127.0.0.1', port, user: 'any', password: 'any', database: 'any' });
    pool.on('error', () => {}); // as its owner does
  });
  afterEach(async () => {
    await pool.end();
    server.close();
  });

  it('fails what was asked of it, and nothing else', async () => {
    const { inbox, once, outbox } = postgresStores({ pool });
    for (const ask of [
      () => inbox.begin('key', 1_000, ''),
      () => once.reserve('key', 1_000),
      () => outbox.backlog(),
      () => outbox.relay(1, async () => ({ published: [], refused: [] })),
      () => outbox.listen(() => {}),
    ])
      await assert.rejects(ask(), /terminat|not queryable|Connection/i);
  });
});
