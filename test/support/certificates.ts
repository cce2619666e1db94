import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A certificate and its key, as text and as files that a broker can be pointed at. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const VALID_DAYS = '2';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

/** An authority of a test's own, made by the `openssl` on the path; ends with its folder. */
export class CertificateAuthority {
  private constructor(
    private readonly dir: string,
    /** Its own certificate, in PEM form. */
    readonly cert: string,
    readonly certFile: string,
  ) {}

  static async create(name: string): Promise<CertificateAuthority> {
    const dir = await mkdtemp(join(tmpdir(), 'hopline-ca-'));
    const certFile = join(dir, 'ca.pem');
    const subject = ['-subj', `/CN=${name}`];
    const files = ['-keyout', join(dir, 'ca.key'), '-out', certFile];
    await openssl('req', '-x509', ...NEW_KEY, '-nodes', '-days', VALID_DAYS, ...subject, ...files);
    return new CertificateAuthority(dir, await readFile(certFile, 'utf8'), certFile);
  }

  /** @param names such as `DNS:localhost,IP:127.0.0.1`; a client's certificate needs its common name only */
  async issue(commonName: string, { names = '', passphrase = '' } = {}): Promise<Certificate> {
    const file = (extension: string) => join(this.dir, `${commonName}.${extension}`);
    const [request, keyFile, certFile, extensions] = ['csr', 'key', 'pem', 'ext'].map(file) as [
      string,
      string,
      string,
      string,
    ];
    const secrecy = passphrase ? ['-passout', `pass:${passphrase}`] : ['-nodes'];
    const made = ['-subj', `/CN=${commonName}`, '-keyout', keyFile, '-out', request];
    await openssl('req', ...NEW_KEY, ...secrecy, ...made);
    await writeFile(extensions, names ? `subjectAltName=${names}\n` : '');
    const signer = ['-CA', this.certFile, '-CAkey', join(this.dir, 'ca.key'), '-CAcreateserial'];
    const signed = ['-days', VALID_DAYS, '-extfile', extensions, '-out', certFile];
    await openssl('x509', '-req', '-in', request, ...signer, ...signed);
    const [cert, key] = (await Promise.all([certFile, keyFile].map((path) => readFile(path, 'utf8')))) as [
      string,
      string,
    ];
    return { cert, key, certFile, keyFile };
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true });
  }
}

async function openssl(...args: string[]): Promise<void> {
  await promisify(execFile)('openssl', args);
}
