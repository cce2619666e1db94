import {
  handlerMiddlewareOption as check,
  type Middleware,
  middlewareSettings,
} from '../../pipeline/middleware.js';

export interface MiddlewareOption {
  /**
   * Middleware around this handler, inside that of the bus: a function wraps its code, an object also its
   * deliveries. The first is the outermost. @default []
   */
  middleware?: readonly Middleware[];
}

/** Its stages are put together with those of the bus's middleware, behind which they stand. */
export const middlewareOption = { check, settings: middlewareSettings };
