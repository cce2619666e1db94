import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { OptionsError } from '../../src/errors.js';
import { type RabbitmqOptions, rabbitmq } from '../../src/index.js';
import { addressOf, isLoopback } from '../../src/transport/amqp/connection/broker-url.js';
import { rabbitmqSettings } from '../../src/transport/amqp/options.js';
import { refusalOf } from '../../src/transport/amqp/topology/refusal.js';
import { type Certificate, CertificateAuthority } from '../support/certificates.js';
import { CANARY, problemsOf } from './option-problems.js';

const URL_OF_OURS = 'amqps://ada:lovelace@rabbit.example.org';
const NOT_PEM = 'in PEM form (the text, not the name of its file)';

describe('the security of a connection', () => {
  let authority: CertificateAuthority;
  let mine: Certificate;
  let other: Certificate;

  before(async () => {
    authority = await CertificateAuthority.create('unit');
    mine = await authority.issue('mine', { passphrase: CANARY });
    other = await authority.issue('other');
  });
  after(() => authority.remove());

  const problems = (options: object) =>
    problemsOf(() => rabbitmq({ url: URL_OF_OURS, ...options } as RabbitmqOptions));
  const tlsProblems = (tls: unknown) => problems({ tls });

  describe('without the certificate being checked', () => {
    it('is refused, and says what to do instead', () => {
      const [problem = '', ...others] = tlsProblems({ rejectUnauthorized: false });
      assert.deepEqual(others, []);
      assert.match(problem, /^tls\.rejectUnauthorized: false would let.*tls\.ca.*allowInsecureTls: true/);
      assert.equal(problems({ tls: { rejectUnauthorized: false }, allowInsecureTls: false }).length, 1);
    });

    it('is allowed to those who say so', () => {
      assert.deepEqual(problems({ tls: { rejectUnauthorized: false }, allowInsecureTls: true }), []);
    });

    it('is refused, too, when the tls function brings it', async () => {
      const { findAddresses } = rabbitmqSettings({
        url: URL_OF_OURS,
        tls: async () => ({ rejectUnauthorized: false }),
      });
      await assert.rejects(findAddresses(), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /^rabbitmq: the tls function: tls\.rejectUnauthorized: false/);
        return true;
      });
    });

    it('is never what happens unasked, whatever the environment says', async () => {
      for (const tls of [undefined, {}, { ca: authority.cert }, { rejectUnauthorized: undefined }]) {
        const { findAddresses } = rabbitmqSettings({ url: URL_OF_OURS, tls } as RabbitmqOptions);
        const [address] = await findAddresses();
        assert.equal(address?.tls?.rejectUnauthorized, true);
      }
    });
  });

  describe("as the broker's default user", () => {
    const refused = /^expected url to name a user of your own on .*, got guest .*add_user.*allowGuest: true/;

    const foreignHosts = [
      'rabbit.example.org',
      '10.0.0.7',
      '128.0.0.1',
      '0.0.0.0',
      '[::2]',
      'localhost.example.org',
    ];
    for (const host of [...foreignHosts, '127.0.0.1.example.org', '[::ffff:10.0.0.7]']) {
      it(`is refused at ${host}, however the user is written`, () => {
        for (const user of ['guest:guest@', '', '%67uest:gues%74@']) {
          const [problem = '', ...others] = problems({ url: `amqp://${user}${host}/v` });
          assert.match(problem, refused, user);
          assert.deepEqual(others, []);
        }
      });
    }

    for (const host of [
      'localhost',
      'LOCALHOST',
      'localhost.',
      '127.0.0.1',
      '127.8.7.6',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
    ]) {
      it(`is taken at ${host}, which is this machine`, () => {
        assert.deepEqual(problems({ url: `amqp://guest:guest@${host}:5673/v` }), []);
        assert.deepEqual(problems({ url: `amqp://${host}` }), []);
      });
    }

    it('is taken with a password of its own, or by another name', () => {
      assert.deepEqual(problems({ url: 'amqp://guest:Guest@rabbit.example.org' }), []);
      assert.deepEqual(problems({ url: 'amqp://gues:guest@rabbit.example.org' }), []);
    });

    it('is taken by those who say so', () => {
      assert.deepEqual(problems({ url: 'amqp://guest:guest@rabbitmq', allowGuest: true }), []);
    });

    it('is named in a list', () => {
      const [problem = ''] = problems({ url: ['amqp://localhost', 'amqp://rabbit.example.org'] });
      assert.match(problem, /^expected url\[1\] to name a user of your own on rabbit\.example\.org:5672/);
    });

    it('is refused, too, when the url function brings it', async () => {
      const { findAddresses } = rabbitmqSettings({
        url: async () => 'amqp://guest:guest@rabbit.example.org',
      });
      await assert.rejects(findAddresses(), (error) => {
        assert.ok(error instanceof OptionsError);
        assert.match(error.message, /^rabbitmq: the url function: expected url to name a user of your own/);
        return true;
      });
    });
  });

  describe('by TLS', () => {
    it('takes certificates as text or bytes, one or several', () => {
      const { cert } = authority;
      for (const ca of [cert, Buffer.from(cert), [cert, Buffer.from(cert)]])
        assert.deepEqual(tlsProblems({ ca }), []);
      assert.deepEqual(
        tlsProblems({ cert: mine.cert, key: mine.key, passphrase: CANARY, minVersion: 'TLSv1.3' }),
        [],
      );
    });

    it('says what is wrong with each option, all at once', () => {
      assert.deepEqual(
        tlsProblems({
          CA: 'x',
          ca: 'ca.pem',
          cert: [other.cert, 'client.pem'],
          key: 'client.key',
          servername: '',
          pfx: 'x',
          minVersion: 'TLSv1',
        }),
        [
          'unknown option tls.CA, did you mean ca?',
          'expected tls.servername to be a non-empty string, got ""',
          `expected tls.minVersion to be 'TLSv1.2' or 'TLSv1.3', got "TLSv1"`,
          `expected tls.ca to be a certificate ${NOT_PEM}`,
          `expected tls.cert to be a certificate ${NOT_PEM}`,
          `expected tls.key to be a private key ${NOT_PEM}`,
          'expected tls.pfx to be the bytes of a PKCS#12 file',
        ],
      );
      assert.deepEqual(tlsProblems({ cert: other.cert }), [
        'expected tls.cert and tls.key to be given together',
      ]);
      assert.deepEqual(tlsProblems(true), ['expected tls to be an object such as { ca }']);
    });

    it('finds a wrong passphrase, a key of another certificate and damaged text before it connects', () => {
      const unusable = [
        { cert: mine.cert, key: mine.key },
        { cert: mine.cert, key: mine.key, passphrase: 'wrong' },
        { cert: mine.cert, key: other.key },
        { cert: other.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\n'), key: other.key },
        { pfx: Buffer.from('no PKCS#12') },
      ];
      for (const tls of unusable) {
        const [problem = '', ...others] = tlsProblems(tls);
        assert.match(problem, /^tls can't be used: .*do cert and key belong together/);
        assert.deepEqual(others, []);
      }
    });

    it('is not given beside an address that does without it', () => {
      assert.deepEqual(problems({ url: ['amqps://a:b@c', 'amqp://a:b@c'], tls: { ca: authority.cert } }), [
        'expected url[1] to be amqps://…, since tls is given, and amqp:// is not encrypted',
      ]);
    });

    it('is not said in the query of the URL, where nobody would heed it', () => {
      assert.deepEqual(problems({ url: `${URL_OF_OURS}?verify=verify_peer&heartbeat=5` }), [
        "expected url to have no parameter 'verify': use the options tls and auth instead",
      ]);
    });
  });

  describe('by EXTERNAL', () => {
    const external = (options: object) =>
      problems({ url: 'amqps://rabbit.example.org', auth: 'external', ...options });

    it('needs a certificate, TLS, and no user', () => {
      const tls = { cert: other.cert, key: other.key };
      assert.deepEqual(external({ tls }), []);
      assert.deepEqual(external({}), [
        "expected tls.cert and tls.key, or tls.pfx, since auth: 'external' uses the certificate",
      ]);
      assert.deepEqual(external({ tls, url: 'amqp://rabbit.example.org' }), [
        "expected url to be amqps://…, since auth: 'external' uses the certificate",
      ]);
      assert.deepEqual(external({ tls, url: URL_OF_OURS }), [
        "expected url to hold no user, since auth: 'external' takes it from the certificate",
      ]);
      assert.deepEqual(external({ tls, auth: 'EXTERNAL' }).slice(0, 1), [
        `expected auth to be 'password' or 'external', got "EXTERNAL"`,
      ]);
    });
  });

  describe('keeps its secrets:', () => {
    it('what is wrong with a key or a passphrase is said without showing it', () => {
      for (const tls of [
        CANARY,
        { key: CANARY, cert: CANARY, ca: [CANARY], passphrase: CANARY },
        { passphrase: { secret: CANARY }, key: [CANARY] },
        { pasphrase: CANARY },
        { key: `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`, cert: other.cert },
      ]) {
        const found = problems({ tls });
        assert.ok(found.length > 0);
        assert.doesNotMatch(found.join('\n'), new RegExp(CANARY));
      }
    });

    it('addresses and transports show neither user nor password, however they are printed', async () => {
      const options: RabbitmqOptions = {
        url: () => `amqps://ada:${CANARY}@rabbit.example.org/v?heartbeat=5`,
        tls: () => ({ cert: mine.cert, key: mine.key, passphrase: CANARY }),
      };
      const settings = rabbitmqSettings(options);
      const [address] = await settings.findAddresses();
      assert.equal(address?.url, 'amqps://rabbit.example.org/v?heartbeat=5');
      assert.equal(address?.credentials.response().toString(), `\0ada\0${CANARY}`);
      const shown = [address, settings, rabbitmq(options)].map((each) =>
        inspect(each, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
      );
      assert.doesNotMatch(shown.join('\n'), new RegExp(`${CANARY}|ada|PRIVATE`));
      assert.doesNotMatch(JSON.stringify([address, settings]), new RegExp(`${CANARY}|ada|PRIVATE`));
    });

    it('a password may have any character, percent-encoded', async () => {
      const passwords = ['Grüße: 100 % 日本', 'a+b c/d@e?f#g', '%41', ''];
      for (const password of passwords) {
        const { findAddresses } = rabbitmqSettings({
          url: `amqp://ad%C3%A4:${encodeURIComponent(password)}@h`,
        });
        const [address] = await findAddresses();
        assert.equal(address?.credentials.response().toString(), `\0adä\0${password}`);
      }
    });
  });

  it('tells loopback by the form of a host alone', () => {
    assert.ok(isLoopback('::ffff:127.0.0.1'));
    for (const host of ['', '127.1', 'localhostx', 'xlocalhost', '::', '::7f00:1'])
      assert.ok(!isLoopback(host), host);
    assert.equal(addressOf('amqps://[::1]'), '[::1]:5671');
  });
});

describe('a connection that fails', () => {
  const failure = (message: string, code?: string) => Object.assign(new Error(message), { code });
  const what = (error: Error) => refusalOf(error)?.what ?? '';

  it('is refused for good where trying again changes nothing', () => {
    assert.match(what(failure('Handshake terminated by server: 403 (ACCESS-REFUSED)')), /^refuses/);
    assert.match(what(failure('SASL mechanism EXTERNAL is not provided by the server')), /^does not offer/);
    assert.match(what(failure('certificate has expired', 'CERT_HAS_EXPIRED')), /CERT_HAS_EXPIRED/);
    assert.match(what(failure('self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT')), /unknown authority/);
    const alert =
      '80DC:error:0A000412:SSL routines:ssl3_read_bytes:sslv3 alert bad certificate:../ssl/record/rec_layer_s3.c:1586:SSL alert number 42\n';
    assert.equal(
      what(failure(alert, 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE')),
      'breaks off the TLS handshake: sslv3 alert bad certificate (ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE)',
    );
  });

  it('is refused for its user in the words of the broker alone, with the cure', () => {
    const login = (mechanism: string) =>
      `ACCESS_REFUSED - Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`;
    const handshake = (mechanism: string) =>
      failure(`Handshake terminated by server: 403 (ACCESS-REFUSED) with message "${login(mechanism)}"`);
    assert.equal(what(handshake('PLAIN')), `does not know this user and password: ${login('PLAIN')}`);
    assert.match(
      refusalOf(handshake('PLAIN'))?.help ?? '',
      /percent-encoded\. `rabbitmqctl authenticate_user/,
    );
    assert.equal(
      what(handshake('EXTERNAL')),
      `does not know the user that the certificate names: ${login('EXTERNAL')}`,
    );
    assert.match(refusalOf(handshake('EXTERNAL'))?.help ?? '', /ssl_cert_login_from/);
  });

  it('is refused for a limit or a vhost in the words of the broker, with the cure', () => {
    const opening = (words: string) =>
      failure(`Expected ConnectionOpenOk; got <ConnectionClose channel:0>: 530 NOT_ALLOWED - ${words}`);
    const cases: [words: string, what: RegExp, help: RegExp][] = [
      ['vhost x not found', /does not open the vhost .*: 530 .*vhost x not found/, /add_vhost/],
      ["access to vhost 'x' refused for user 'u'", /refused for user 'u'$/, /topology permissions/],
      [
        "access to vhost 'x' refused for user 'u': connection limit (9) is reached",
        /vhost.* limit of connections/,
        /set_vhost_limits/,
      ],
      [
        "connection refused for user 'u': user connection limit (9) is reached",
        /user has .* limit of connections/,
        /set_user_limits/,
      ],
      ["access to vhost 'x' refused for user 'u': vhost 'x' is down", /is down$/, /restart_vhost/],
    ];
    for (const [words, what, help] of cases) {
      const refusal = refusalOf(opening(words));
      assert.match(refusal?.what ?? '', what, words);
      assert.match(refusal?.help ?? '', help, words);
    }
    assert.match(what(failure('Expected ConnectionOpenOk; got <ConnectionClose channel:0>')), /of the url$/);
    const closed =
      'Connection closed: 530 (NOT-ALLOWED) with message "NOT_ALLOWED - number of channels opened for user \'u\' has reached the maximum allowed user limit of (1)"';
    assert.equal(
      what(failure(closed)),
      "refuses the connection: the user has reached its limit of channels (NOT_ALLOWED - number of channels opened for user 'u' has reached the maximum allowed user limit of (1))",
    );
  });

  it('is tried again where it may pass', () => {
    const passing: [string, string?][] = [
      ['connect ECONNREFUSED 127.0.0.1:5672', 'ECONNREFUSED'],
      ['read ECONNRESET', 'ECONNRESET'],
      ['connect ETIMEDOUT'],
      ['getaddrinfo ENOTFOUND rabbit', 'ENOTFOUND'],
      ['getaddrinfo EAI_AGAIN rabbit-403.internal', 'EAI_AGAIN'],
      ['Socket closed abruptly during opening handshake'],
      ['Handshake terminated by server: 320 (CONNECTION-FORCED)'],
    ];
    for (const [message, code] of passing)
      assert.equal(refusalOf(failure(message, code)), undefined, message);
  });
});
