import assert from 'node:assert/strict';
import { logged, untilLogged, useWorkService } from './work-service.js';

describe('the log of hopline work', function () {
  this.timeout(60_000);
  const service = useWorkService();

  it("has a failing handler's lines with their level, fields and stack; what the application prints is what it was", async () => {
    const command = service().work([]);
    const [again] = await service().send(1, { fails: 'once more' });
    await service().send(1, { fails: 'for good' });
    await untilLogged(command, /as unrecoverable: UnrecoverableError: never$/);
    const [warning] = logged(command, /^handler 'Work' failed \(attempt 1 of 5\), retried in 1s/);
    const [error] = logged(command, /^handler 'Work' failed .*, dead-lettered to .*\.work\.dead/);
    assert.deepEqual([warning?.level, error?.level], [40, 50]);
    assert.equal(warning?.queue, `${service().name}.work`);
    assert.equal(warning?.worker, 1);
    assert.match(
      String((warning?.err as { stack?: string } | undefined)?.stack),
      /^RangeError: not yet\n +at .*jobs/,
    );
    assert.equal(logged(command, new RegExp(`^began ${again} `))[0]?.level, 30);
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('tells of handlers that say nothing of their own what the command says for them: tries, backoff and timeout', async () => {
    const command = service().work(['--tries', '2', '--backoff', '200ms,10s', '--timeout', '300ms']);
    await service().send(1, { fails: 'once more' });
    await untilLogged(command, /^handler 'Work' failed \(attempt 1 of 2\), retried in 200ms: RangeError/);
    await untilLogged(command, /^handler 'Work' failed \(attempt 2 of 2\), .* as exhausted: RangeError/);
    await service().send(1, { holds: 'until cancelled' }, 'other');
    await untilLogged(
      command,
      /^handler 'Other' failed \(attempt 1 of 2\), .*: HandlerTimeoutError: .*300ms/,
    );
    command.child.kill('SIGTERM');
    assert.equal((await command.ended).code, 0);
  });

  it('has the stack below the line on a terminal', async () => {
    await service().send(1, { fails: 'for good' });
    const { stdout, code } = await service().work(['--stop-when-empty'], { terminal: true }).ended;
    assert.equal(code, 0, stdout);
    assert.match(stdout, /ERROR.*: .*handler 'Work' failed/);
    assert.match(stdout, /^ +UnrecoverableError: never\r?\n +at /m);
  });
});
