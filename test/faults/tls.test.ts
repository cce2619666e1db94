import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ConnectError,
  OptionsError,
  type RabbitmqOptions,
  rabbitmq,
  type TlsOptions,
} from '../../src/index.js';
import { hopline } from '../cli/command.js';
import { run } from '../examples/program.js';
import { Ledger } from '../support/account.js';
import { PROVIDE_TIMEOUT_MS, PrivateNode } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';
import { type Certificate, CertificateAuthority } from '../support/certificates.js';
import { eventually } from '../support/eventually.js';
import { type FaultBus, faultBus, stopAll, uniqueName } from './fixture.js';

describe('TLS', function () {
  this.timeout(60_000);
  let authority: CertificateAuthority;
  let stranger: CertificateAuthority;
  let ada: Certificate;
  let node: PrivateNode;
  let port: number;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    [authority, stranger] = (await Promise.all(
      ['ours', 'stranger'].map((name) => CertificateAuthority.create(name)),
    )) as [CertificateAuthority, CertificateAuthority];
    ada = await authority.issue('ada');
    const broker = await authority.issue('broker', { names: 'DNS:localhost,DNS:rabbit.example.org' });
    [port] = (await freePorts(1)) as [number];
    node = await PrivateNode.start({
      name: 'tls',
      plugins: ['rabbitmq_auth_mechanism_ssl'],
      config: [
        `listeners.ssl.1 = 127.0.0.1:${port}`,
        `ssl_options.cacertfile = ${authority.certFile}`,
        `ssl_options.certfile = ${broker.certFile}`,
        `ssl_options.keyfile = ${broker.keyFile}`,
        'ssl_options.verify = verify_peer',
        'ssl_options.fail_if_no_peer_cert = false',
        'ssl_cert_login_from = common_name',
        'auth_mechanisms.1 = PLAIN',
        'auth_mechanisms.2 = EXTERNAL',
      ],
    });
    await node.ctl('add_user', 'ada', 'not used');
    await node.ctl('clear_password', 'ada');
    await node.ctl('set_permissions', 'ada', '.*', '.*', '.*');
  });

  after(async () => {
    await node?.stop();
    await Promise.all([authority, stranger].map((each) => each?.remove()));
  });

  afterEach(stopAll);

  const at = (host: string) => `amqps://guest:guest@${host}:${port}`;

  function secureBus(options: RabbitmqOptions): FaultBus {
    return faultBus(node.url, { transport: rabbitmq(options) });
  }

  /** Publishes and handles some messages, and keeps the account. */
  async function works({ bus }: FaultBus): Promise<void> {
    const ledger = new Ledger();
    bus.handle('load', ({ number }) => ledger.handled(number), { queue: uniqueName('queue') });
    await bus.start();
    await Promise.all(Array.from({ length: 20 }, (_, number) => ledger.publish(bus, 'load', number)));
    await eventually(() => ledger.missing === 0);
    ledger.assertBalanced();
    assert.deepEqual(ledger.errors, []);
    await bus.stop();
  }

  /** That start() ends at once, without a second try, though it had half a minute. */
  async function refused(fault: FaultBus, ...said: RegExp[]): Promise<void> {
    const startedAt = performance.now();
    await assert.rejects(fault.bus.start(), (error: ConnectError) => {
      assert.ok(error instanceof ConnectError, `${error}`);
      for (const words of said) assert.match(`${error.message}. ${error.help}`, words);
      return true;
    });
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 15_000, `${tookMs} ms`);
    const tries = fault.seen('connection.down').filter(({ connection }) => connection === 'publish');
    assert.ok(tries.length <= 1, `${tries.length} tries`);
  }

  it('with an authority of our own carries publishes and deliveries', async () => {
    await works(secureBus({ url: at('localhost'), tls: { ca: authority.cert } }));
    await works(secureBus({ url: at('localhost'), tls: { ca: [Buffer.from(authority.cert)] } }));
  });

  it('takes the name that the certificate must have from tls.servername, where the host is an address', async () => {
    await works(
      secureBus({ url: at('127.0.0.1'), tls: { ca: authority.cert, servername: 'rabbit.example.org' } }),
    );
  });

  it('with a certificate of an unknown authority is refused at once, and says what to do', async () => {
    const unknown = /certificate of an unknown authority: .* \(\w+\)\. .*tls\.ca/;
    await refused(
      secureBus({ url: at('localhost'), tls: { ca: stranger.cert } }),
      unknown,
      /localhost:\d+ has/,
    );
    await refused(secureBus({ url: at('localhost') }), unknown);
  });

  it('takes no orders from NODE_TLS_REJECT_UNAUTHORIZED', async () => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await refused(secureBus({ url: at('localhost') }), /unknown authority/);
    } finally {
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it('with a certificate for another host is refused at once, and names both', async () => {
    await refused(
      secureBus({ url: at('127.0.0.1'), tls: { ca: authority.cert } }),
      /certificate for another name, DNS:localhost, DNS:rabbit\.example\.org: .*127\.0\.0\.1/,
      /tls\.servername/,
    );
  });

  it('at a port that speaks none is refused at once', async () => {
    const url = at('localhost').replace(`:${port}`, `:${node.port}`);
    await refused(secureBus({ url, tls: { ca: authority.cert } }), /does not speak TLS\. Use amqp:/);
  });

  it('that checks nothing works when it is allowed, and is logged', async () => {
    const tls: TlsOptions = { rejectUnauthorized: false };
    assert.throws(() => rabbitmq({ url: at('localhost'), tls }), OptionsError);
    const fault = secureBus({ url: at('localhost'), tls, allowInsecureTls: true });
    await works(fault);
    assert.match(fault.log.join('\n'), /allowInsecureTls/);
  });

  it('asks for new certificates before every round of connecting', async () => {
    let asked = 0;
    const tls = () => {
      asked += 1;
      return { ca: authority.cert };
    };
    const fault = secureBus({ url: at('localhost'), tls });
    fault.bus.handle('k', () => {});
    await fault.bus.start();
    assert.equal(asked, 2, 'once for each of the two connections');
    await node.ctl('close_all_connections', 'test');
    await eventually(() => fault.seen('connection.up').length === 4, { timeout: 20_000 });
    assert.ok(asked >= 4, `asked ${asked} times`);
  });

  describe('with EXTERNAL', () => {
    const external = (certificate: Certificate): RabbitmqOptions => ({
      url: `amqps://localhost:${port}`,
      auth: 'external',
      tls: { ca: authority.cert, cert: certificate.cert, key: certificate.key },
    });

    it('logs in as the user that the certificate names', async () => {
      await works(secureBus(external(ada)));
      const fault = secureBus(external(ada));
      fault.bus.handle('k', () => {});
      await fault.bus.start();
      const connections = await node.ctl('list_connections', '--no-table-headers', 'user', 'auth_mechanism');
      assert.deepEqual(connections.trim().split('\n'), ['ada\tEXTERNAL', 'ada\tEXTERNAL']);
    });

    it('is refused at once for a certificate whose name is no user of the broker', async () => {
      const eve = await authority.issue('eve');
      await refused(secureBus(external(eve)), /ACCESS_REFUSED.*EXTERNAL/);
    });
  });

  describe('with a broker that asks for a certificate', () => {
    before(async function () {
      this.timeout(PROVIDE_TIMEOUT_MS);
      await appendFile(join(node.dir, 'rabbitmq.conf'), 'ssl_options.fail_if_no_peer_cert = true\n');
      await node.restart();
    });

    it('works with one that its authority has signed, from a key under a passphrase, too', async () => {
      const { cert, key } = ada;
      await works(secureBus({ url: at('localhost'), tls: { ca: authority.cert, cert, key } }));
      const locked = await authority.issue('locked', { passphrase: 'open sesame' });
      const tls = { ca: authority.cert, cert: locked.cert, key: locked.key };
      await works(secureBus({ url: at('localhost'), tls: { ...tls, passphrase: 'open sesame' } }));
    });

    it('is what the example of the guide connects to', async () => {
      const env = { AMQP_CA: authority.certFile, AMQP_CERT: ada.certFile, AMQP_KEY: ada.keyFile };
      const { code, stdout, stderr } = await run('secure-connection.js', {
        amqpUrl: `amqps://localhost:${port}`,
        env,
      });
      assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '{ amount: 12 }\n', stderr: '' });
    });

    it('is what the command connects to, too', async () => {
      const certificates = ['--ca', authority.certFile, '--cert', ada.certFile, '--key', ada.keyFile];
      const ended = await hopline(['publish', 'payment.received', '{}', '--external', ...certificates], {
        url: `amqps://localhost:${port}`,
      });
      assert.equal(ended.code, 0, ended.stderr);
      const without = await hopline(['publish', 'payment.received', '{}', '--ca', ada.keyFile], {
        url: at('localhost'),
      });
      assert.equal(without.code, 2);
      assert.match(without.stderr, /^error: rabbitmq: expected tls\.ca to be a certificate in PEM form/);
    });

    it('is refused at once without one, and with one of somebody else', async () => {
      await refused(
        secureBus({ url: at('localhost'), tls: { ca: authority.cert } }),
        /breaks off the TLS handshake: .*tls\.cert and tls\.key/,
      );
      const { cert, key } = await stranger.issue('mallory');
      await refused(
        secureBus({ url: at('localhost'), tls: { ca: authority.cert, cert, key } }),
        /breaks off the TLS handshake/,
      );
    });
  });
});
