import assert from 'node:assert/strict';
import { join } from 'node:path';
import { hopline } from './command.js';

const SHOP = join(import.meta.dirname, 'apps/shop.js');

describe('hopline topology permissions', () => {
  it('prints commands for a shell, and says what each is for', async () => {
    const { code, stdout, stderr } = await hopline(['topology', 'permissions', SHOP, '--vhost', "it's"]);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.trimEnd().split('\n');
    assert.match(
      lines[0] ?? '',
      /^# shop in vhost 'it's': configure, write, read\. Each replaces the one before/,
    );
    const commands = lines.filter((line) => !line.startsWith('#'));
    for (const line of commands)
      assert.match(line, /^rabbitmqctl set_(topic_)?permissions -p 'it'\\''s' shop /, line);
    assert.deepEqual(
      commands.map((line) => line.split(' ')[1]),
      [...Array(3).fill('set_permissions'), ...Array(7).fill('set_topic_permissions')],
    );
    const comments = lines.slice(1).filter((line) => line.startsWith('#'));
    assert.deepEqual(
      comments.map((line) => line.split(':')[0]),
      ['# verify', '# declare', '# first', '# always, once the exchanges are there'],
    );
  });

  it('prints the rights for one occasion, for another user, with more exchanges', async () => {
    const flags = ['--for', 'verify', '--user', 'someone else', '--exchange', 'erp.orders'];
    const { code, stdout } = await hopline(['topology', 'permissions', '--app', SHOP, ...flags]);
    assert.equal(code, 0);
    const [head, , command] = stdout.split('\n');
    assert.equal(head, "# someone else in vhost '/': configure, write, read.");
    assert.match(
      command ?? '',
      /^rabbitmqctl set_permissions -p \/ 'someone else' '\^\(hopline\\.control.*' '.*erp\\\.orders.*' '.*'$/,
    );
  });

  it('says the same as JSON', async () => {
    const { code, stdout } = await hopline(['topology', 'permissions', SHOP, '--json']);
    assert.equal(code, 0);
    const [shop, ...others] = JSON.parse(stdout);
    assert.deepEqual(others, []);
    assert.deepEqual([shop.user, shop.vhost], ['shop', '/']);
    assert.deepEqual(Object.keys(shop.permissions), ['verify', 'declare', 'first']);
    assert.equal(shop.permissions.verify.configure, '^(hopline\\.control\\.(jobs\\.)?[\\da-f-]{36})$');
    assert.equal(shop.topicPermissions.length, 7);
  });

  it('asks what is meant by an unknown occasion', async () => {
    const { code, stderr } = await hopline(['topology', 'permissions', SHOP, '--for', 'verfy']);
    assert.equal(code, 2);
    assert.match(
      stderr,
      /^error: --for is 'verfy', did you mean verify\? It may be verify, declare, first\n$/,
    );
  });
});
