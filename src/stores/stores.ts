import type { ClaimStore } from './claims.js';
import type { PermitStore } from './permits.js';

/** Where a bus keeps what its handlers share beside messages. */
export interface Stores {
  /** For rate limits. */
  readonly permits: PermitStore;
  /** For idempotent handlers. */
  readonly claims: ClaimStore;
}
