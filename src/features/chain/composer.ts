import type { Owner } from '../../encryption/envelope.js';
import type { ChainStep } from '../../message/chain.js';
import { DEFAULT_EXCHANGE, type ExchangeRef, exchangeOptionOf } from '../../message/exchange-option.js';
import { publisherHeaders } from '../../message/headers.js';
import type { StepMessage, StepOptions } from '../../message/wire/chain-header.js';
import {
  type BodyEncoding,
  bodyOf,
  type ComposeOptions,
  composeMessage,
  contentTypeOf,
  encodedBody,
  exchangeOf,
  routingKeyOf,
} from '../../pipeline/publish-call.js';
import { checkStep } from '../../pipeline/publish-checks.js';
import { validate } from '../../serialization/validate.js';
import { queueOf } from '../../topology/names.js';
import { after } from '../../util/after.js';
import type { Clock } from '../../util/clock.js';
import { blankStep, encryptedStep, isEncrypted } from '../encryption/encrypt.js';

export interface StepComposerOptions extends ComposeOptions {
  /** The bus's own exchange. */
  readonly exchange: ExchangeRef;
  readonly clock: Clock;
}

/** A checked step before its encryption; its schema's answer may be outstanding. */
export interface StepDraft {
  readonly plain: StepMessage;
  /** The same with the body as publish middleware changes it. */
  readonly encoded: StepMessage | Promise<StepMessage>;
  readonly checking: Promise<unknown> | undefined;
  readonly isEncrypted: boolean;
}

/** A checked step. Its schema's answer and its encryption key may be outstanding. */
export interface ComposedStep {
  /** The step's message; without its body while `checking` waits for a key. */
  readonly message: StepMessage;
  /**
   * The final message; rejects with a PayloadInvalidError or a KeysUnavailableError. Undefined if nothing is
   * outstanding.
   */
  readonly checking: Promise<StepMessage> | undefined;
}

/**
 * Composes steps as they travel in a header, long before they are sent: a step that could not be sent fails here,
 * where its author can do something about it.
 */
export class StepComposer {
  constructor(private readonly options: StepComposerOptions) {}

  /**
   * @param owner owner of an encrypted body: the step's chain, or else the message that the step becomes
   * @param encoding what publish middleware does to the body
   * @throws OptionsError, InvalidMessageError, MessageTooLargeError, PayloadInvalidError, KeysUnavailableError
   */
  compose(step: ChainStep, owner: Owner, encoding?: BodyEncoding): ComposedStep {
    const draft = this.draft(step, encoding);
    const message = this.sealed(draft, owner);
    const { plain, checking: validation } = draft;
    if (!(validation || message instanceof Promise)) return { message, checking: undefined };
    const checking = Promise.all([message, validation]).then(([final]) => final);
    // The caller gets a rejection; if another step is refused first, nobody awaits this one.
    checking.catch(() => {});
    return { message: message instanceof Promise ? blankStep(plain) : message, checking };
  }

  /** @throws as {@link compose}, except for keys */
  draft(step: ChainStep, encoding?: BodyEncoding): StepDraft {
    checkStep(step);
    const { definition, payload, key: _, encrypted: __, ...options } = step;
    const { encryption, exchange: own, serializer, clock } = this.options;
    const routingKey = routingKeyOf(definition ?? (step.key as string), step);
    const exchange = this.options.wholeExchange(exchangeOf(options, own));
    const type = definition?.key ?? routingKey;
    const validation = definition?.schema ? validate(definition, payload) : undefined;
    const checking = validation instanceof Promise ? validation : undefined;
    // The caller gets a rejection; if something else is refused first, nobody awaits this one.
    checking?.catch(() => {});
    const encrypted = isEncrypted(definition, step, encryption);
    const queue = queueOf(options);
    const call = {
      ...{ routingKey, exchange, queue, type, payload },
      mustRoute: true,
      encrypted,
      options,
      encoding,
    };
    const body = bodyOf(call, this.options);
    // For its checks: the message itself is composed when the step is sent.
    composeMessage(call, body, this.options, clock.now());
    const plain: StepMessage = {
      ...{ key: routingKey, type, body, contentType: contentTypeOf(call, { serializer }) },
      ...(encoding?.contentEncoding ? { contentEncoding: encoding.contentEncoding } : {}),
      options: travelling(options, this.options.wholeExchange(plainExchangeOf(options, own))),
    };
    if (!encoding?.encode) return { plain, encoded: plain, checking, isEncrypted: encrypted };
    const encoded = after(encodedBody(body, call, this.options), (changed) => ({ ...plain, body: changed }));
    if (encoded instanceof Promise) encoded.catch(() => {});
    return { plain, encoded, checking, isEncrypted: encrypted };
  }

  /** The draft's message, encrypted if it is to be. @throws KeysUnavailableError */
  sealed({ encoded, isEncrypted }: StepDraft, owner: Owner): StepMessage | Promise<StepMessage> {
    const { encryption } = this.options;
    if (!(isEncrypted && encryption)) return encoded;
    return after(encoded, (step) => encryptedStep(step, owner, encryption));
  }
}

type Travelling = Omit<ChainStep, 'definition' | 'payload' | 'key' | 'encrypted'>;

/** The exchange of a step, its lane left out. */
const plainExchangeOf = ({ lane: _, ...options }: Travelling, own: ExchangeRef): ExchangeRef =>
  exchangeOf(options, own);

/**
 * The options that travel with a step. They always name the exchange, with all that is said of it here: the sender of the step may have
 * another one of its own, and know nothing of this one.
 */
function travelling(options: Travelling, exchange: ExchangeRef): StepOptions {
  const { headers } = options;
  return {
    ...options,
    exchange: options.queue === undefined ? exchangeOptionOf(exchange) : DEFAULT_EXCHANGE.name,
    ...(headers ? { headers: publisherHeaders(headers) } : {}),
  };
}
