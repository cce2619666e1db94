export { isHoplineContext } from './calls/handler-call.js';
export { HoplineContext, HoplinePayload } from './calls/parameters.js';
export { HoplineHandler, HoplineResponder } from './handles.js';
export { HoplineHealthIndicator, type HoplineHealthResult } from './health.js';
export { HoplineModule } from './module.js';
export type {
  HoplineFeatureOptions,
  HoplineModuleAsyncOptions,
  HoplineModuleOptions,
  HoplineModuleSettings,
} from './options.js';
export { getBusToken, InjectBus } from './tokens.js';
