export { type NestTestKit, nestTestKit } from './nest-test-kit.js';
export type { ModuleBuilder, NestTestKitOptions } from './options.js';
