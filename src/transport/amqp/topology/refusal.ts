import { reachedLimit } from '../connection/limits.js';

/** Reason why another try of the same connection fails, too, with advice. */
export interface Refusal {
  /** Completes "<address> …". */
  readonly what: string;
  readonly help: string;
}

/** Error of the client library or of Node.js. */
interface ConnectFailure extends Error {
  code?: unknown;
  /** The broker's certificate, if its name is wrong. */
  cert?: { readonly subjectaltname?: string };
}

/** The broker's words for a refused client; its numbers for them (403, 530) may also be part of a host's name. */
const LOGIN = /ACCESS[-_]REFUSED|NOT[-_]ALLOWED/;

/** The broker's words for an unknown user or a wrong password. */
const IDENTITY = /Login was refused using authentication mechanism (\w+)/;

/**
 * The client library's words when the broker closes instead of opening the vhost, followed by the broker's
 * (530, 403, 541).
 */
const VHOST = /Expected ConnectionOpenOk; got <ConnectionClose[^>]*>(?:: (.*))?/s;

/** The client library's words when the broker does not offer the SASL mechanism. */
const MECHANISM = /SASL mechanism (\w+) is not provided/;

/**
 * OpenSSL's codes for a certificate chain without a trusted authority; documented by Node.js (tls, X509
 * certificate error codes).
 */
const UNKNOWN_AUTHORITY = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

const BAD_CERTIFICATE = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_CHAIN_TOO_LONG',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
]);

/** Undefined for a temporary failure: a broker that is down, does not answer, or is too slow. */
export function refusalOf(error: ConnectFailure): Refusal | undefined {
  const { message } = error;
  const code = String(error.code ?? '');
  const limit = reachedLimit(message);
  if (limit)
    return { what: `refuses the connection: ${limit.what} (${brokersWords(message)})`, help: limit.help };
  const atVhost = VHOST.exec(message);
  if (atVhost) return vhostRefusal(atVhost[1] ?? '');
  const mechanism = IDENTITY.exec(message)?.[1];
  if (mechanism) return identityRefusal(mechanism, brokersWords(message));
  if (LOGIN.test(message)) {
    return {
      what: `refuses the connection: ${message}`,
      help: "Check user, password and vhost of the url, and the user's permissions on the vhost.",
    };
  }
  if (MECHANISM.test(message)) {
    return {
      what: `does not offer this login mechanism: ${message}`,
      help: "Enable the broker's plugin rabbitmq_auth_mechanism_ssl, and EXTERNAL among its auth_mechanisms; or leave auth: 'external' out.",
    };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return {
      what: `has a certificate for another name${namesOf(error)}: ${message}`,
      help: 'Use a host in the url that the certificate names, or set tls.servername to one of its names.',
    };
  }
  if (UNKNOWN_AUTHORITY.has(code)) {
    return {
      what: `has a certificate of an unknown authority: ${message} (${code})`,
      help: "Give the authority's certificate as tls.ca, and let the broker send the intermediate certificates.",
    };
  }
  if (BAD_CERTIFICATE.has(code)) {
    return {
      what: `has a certificate that can't be accepted: ${message} (${code})`,
      help: "Renew the broker's certificate, and check the clocks.",
    };
  }
  return tlsRefusal(message, code);
}

function identityRefusal(mechanism: string, words: string): Refusal {
  return mechanism === 'EXTERNAL'
    ? {
        what: `does not know the user that the certificate names: ${words}`,
        help: "Create a user of that name with `rabbitmqctl add_user`, or see which part of the certificate the broker takes it from (ssl_cert_login_from): the broker's log has the name.",
      }
    : {
        what: `does not know this user and password: ${words}`,
        help: "Correct user and password of the url, where special characters are percent-encoded. `rabbitmqctl authenticate_user USER PASSWORD` says whether the broker knows them, the broker's log which user it was asked for.",
      };
}

/** @param words the broker's words; empty if they are unknown */
function vhostRefusal(words: string): Refusal {
  const what = `does not open the vhost of the url${words && `: ${words}`}`;
  if (/not found/.test(words))
    return {
      what,
      help: 'Create it with `rabbitmqctl add_vhost`, or correct the name at the end of the url.',
    };
  if (/is down|INTERNAL_ERROR/.test(words))
    return {
      what,
      help: "See the broker's log for its failure, and restart it with `rabbitmqctl restart_vhost -p VHOST`.",
    };
  if (/refused for user/.test(words))
    return {
      what,
      help: 'Give the user permissions there: `hopline topology permissions` prints the minimum for a service.',
    };
  return {
    what,
    help: 'Check whether it exists, whether the user has permissions there, and whether it has reached its limit of connections.',
  };
}

/** Without the client library's prefix. */
const brokersWords = (message: string): string =>
  /(?:with message "|<ConnectionClose[^>]*>: )(.*?)"?$/s.exec(message)?.[1] ?? message;

/** Node.js's error lists the names only if the host is a name, too. */
function namesOf({ cert }: ConnectFailure): string {
  return cert?.subjectaltname ? `, ${cert.subjectaltname}` : '';
}

/** A failed TLS handshake: OpenSSL's text holds the reason, with the file and line of its source. */
function tlsRefusal(message: string, code: string): Refusal | undefined {
  if (code !== 'EPROTO' && !code.startsWith('ERR_SSL_')) return undefined;
  if (/wrong version number|packet length too long/i.test(message)) {
    return {
      what: 'does not speak TLS',
      help: 'Use amqp:// for this port, or the port of the TLS listener (5671 by default).',
    };
  }
  return {
    what: `breaks off the TLS handshake: ${/SSL routines:[^:]*:([^:]+)/.exec(message)?.[1] ?? message} (${code})`,
    help: 'Where the broker asks for a certificate, give one that its authority has signed, as tls.cert and tls.key.',
  };
}
