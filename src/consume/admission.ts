import { type Claim, Claims, type ClaimsOptions } from './claims.js';
import type { HandlerContext } from './context.js';
import type { Outcome } from './outcome.js';
import { RateLimits, type RateLimitsOptions } from './rate-limits.js';
import type { Handler } from './subscription.js';
import { Uniques, type UniquesOptions } from './uniques.js';

export interface AdmissionOptions extends ClaimsOptions, RateLimitsOptions, UniquesOptions {
  readonly handlers: readonly Handler[];
}

/**
 * Who is let in to its handler: what stores are asked between a decoded message and the handler's code, in this order. A
 * message for which there is nothing to ask costs four looks and no promise.
 */
export class Admission {
  private readonly limits: RateLimits;
  private readonly claims: Claims;

  constructor(
    options: AdmissionOptions,
    private readonly uniques: Uniques,
  ) {
    this.limits = new RateLimits(options.handlers, options);
    this.claims = new Claims(options);
  }

  /**
   * Undefined if it is let in without a question. Resolves with a refusal, or with the claim of one that is let in, if it has any.
   * Rejects with what the `by` of an option throws.
   */
  admit(context: HandlerContext, payload: unknown): Promise<Claim | Outcome | undefined> | undefined {
    const { rateLimit, idempotent, inbox } = context.handler;
    const { unique } = context.work.received;
    return unique || rateLimit || idempotent || inbox ? this.ask(context, payload) : undefined;
  }

  private async ask(context: HandlerContext, payload: unknown): Promise<Claim | Outcome | undefined> {
    const { uniques, claims } = this;
    const superseded = await uniques.superseded(context);
    if (superseded) return superseded;
    // Before a permit is taken, or copies that are skipped would use up what new messages wait for.
    const claim = await claims.claim(context, payload);
    if (claim && claim.kind !== 'claim') return claim;
    const limited = await this.limited(context, payload, claim);
    if (limited) return limited;
    await uniques.starting(context);
    return claim;
  }

  /** A message that has to wait for a permit holds no claim meanwhile: its copies need not wait for it, too. */
  private async limited(
    context: HandlerContext,
    payload: unknown,
    claim: Claim | undefined,
  ): Promise<Outcome | undefined> {
    let isAdmitted = false;
    try {
      const limited = await this.limits.admit(context, payload);
      isAdmitted = limited === undefined;
      return limited;
    } finally {
      if (!isAdmitted) await claim?.givenBack();
    }
  }
}
