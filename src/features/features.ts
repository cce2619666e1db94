import { bulkCode } from './bulk/bulk-calls.js';
import { type BulkOption, bulkOption } from './bulk/option.js';
import { type CircuitBreakerOption, circuitBreakerOption } from './circuit-breaker/option.js';
import { type PermitsOption, permitsOption } from './concurrency/option.js';
import { permitStage } from './concurrency/stage.js';
import { type EncryptedOption, encryptedOption } from './encryption/option.js';
import type { Feature } from './feature.js';
import { type IdempotentOption, idempotentOption } from './idempotent/option.js';
import { sharedNameProblems } from './idempotent/shared-names.js';
import { idempotentStage } from './idempotent/stage.js';
import { inboxAround, inboxStage } from './inbox/inbox.js';
import { type InboxOption, inboxOption } from './inbox/option.js';
import { type LongOption, longOption } from './long/option.js';
import { longStage } from './long/stage.js';
import { type MiddlewareOption, middlewareOption } from './middleware/option.js';
import { type PublishesOption, publishesOption } from './publishes/option.js';
import { publishesAround, publishesStage } from './publishes/stage.js';
import { type RateLimitOption, rateLimitOption } from './rate-limit/option.js';
import { rateLimitStage } from './rate-limit/stage.js';
import { type ResumableOption, resumableOption } from './resumable/option.js';
import { resumableAround, resumableStage } from './resumable/stage.js';
import type { TimeoutOption } from './timeout/option.js';
import { type UniqueOption, uniqueOption } from './unique/option.js';

/** Options of a handler that are features: the field of each, with its doc, is in its folder. */
// biome-ignore lint/suspicious/noExplicitAny: without a definition, the payload's type is the handler's own word
export interface FeatureOptions<Payload = any, Input = Payload>
  extends LongOption,
    RateLimitOption<Payload>,
    IdempotentOption<Payload>,
    InboxOption<Payload>,
    ResumableOption,
    PublishesOption,
    UniqueOption<Input>,
    EncryptedOption,
    CircuitBreakerOption,
    MiddlewareOption {}

/** A handler as it is declared, before its options are settled. */
export interface DeclaredHandler {
  readonly name: string;
  readonly patterns: readonly string[];
  readonly queue: { readonly concurrency?: number };
  readonly options: FeatureOptions &
    PermitsOption &
    Partial<BulkOption> &
    TimeoutOption & { readonly concurrency?: number; readonly each?: 'process' };
}

/**
 * The features, by the name of their option, in the order of their stages: the first is the outermost. By its row here an option is
 * checked, its settings are a field of the handler, and handlers that have it have its stages.
 *
 * A lease is taken before all else, and is held while its message waits for a permit: released by a stage before it, a message that runs
 * elsewhere would come back under another lease, and run twice. What waits for its turn holds nothing else meanwhile, no claim and no
 * transaction: so `permits`, the part of the option `concurrency` that holds over all processes, comes next. Before a permit of the rate
 * limit is taken copies are skipped, or they would use up what new messages wait for. A message that has to wait for a permit gives its
 * claim back: its copies need not wait for it, too.
 *
 * A state is loaded once nothing else refuses the message: another attempt, which had the claim until now, may have kept one.
 *
 * @internal
 */
export const FEATURES = {
  long: { ...longOption, guard: longStage },
  permits: { ...permitsOption, guard: permitStage },
  idempotent: { ...idempotentOption, queueProblems: sharedNameProblems, guard: idempotentStage },
  inbox: { ...inboxOption, guard: inboxStage, around: () => inboxAround },
  rateLimit: { ...rateLimitOption, guard: rateLimitStage },
  resumable: { ...resumableOption, guard: resumableStage, around: () => resumableAround },
  publishes: { ...publishesOption, guard: publishesStage, around: () => publishesAround },
  /** Counts how attempts end, and pauses: it has no stage. */
  circuitBreaker: circuitBreakerOption,
  /** Asked for by whoever sends to the handler; its stages are those of messages that carry a key. */
  unique: uniqueOption,
  /** Asked for where a body is decrypted. */
  encrypted: encryptedOption,
  /** Put around the handler's way, and its code: see the stages. */
  middleware: middlewareOption,
  /** Typed by the handlers that have it: their function takes lists. */
  bulk: { ...bulkOption, code: bulkCode },
} satisfies Record<keyof FeatureOptions | 'bulk' | 'permits', Feature<DeclaredHandler>>;
