/** One import that the rules of .dependency-cruiser.cjs judge. */
export interface Edge {
  /** The importing file. */
  readonly from: string;
  /** A file, or a package's name. */
  readonly to: string;
  /** Imported as types only. */
  readonly type?: true;
}

export interface ForbiddenEdge extends Edge {
  /** The rule that forbids it. */
  readonly rule: string;
}

const type = true;

/** At least one for each rule. */
export const forbidden: readonly ForbiddenEdge[] = [
  {
    rule: 'views-load-nothing-of-the-server',
    from: 'src/dashboard/ui/a.tsx',
    to: 'src/dashboard/site/watch.ts',
  },
  {
    rule: 'views-load-no-page',
    from: 'src/dashboard/pages/overview/a.tsx',
    to: 'src/dashboard/pages/page.ts',
  },
  { rule: 'pages-stay-in-the-dashboard', from: 'src/cli/a.ts', to: 'preact' },
  { rule: 'views-load-nothing-of-node', from: 'src/dashboard/client/a.ts', to: 'node:crypto' },
  { rule: 'util-knows-no-domain', from: 'src/util/a.ts', to: 'src/errors.ts' },
  { rule: 'foundation-stands-alone', from: 'src/message/a.ts', to: 'src/retry/policy.ts', type },
  { rule: 'pure-parts-stand-alone', from: 'src/retry/a.ts', to: 'src/topology/plan.ts' },
  { rule: 'pure-parts-stand-alone', from: 'src/topology/a.ts', to: 'src/transport/transport.ts', type },
  {
    rule: 'ports-know-no-implementation',
    from: 'src/stores/unique.ts',
    to: 'src/stores/memory/unique.ts',
    type,
  },
  { rule: 'ports-know-no-implementation', from: 'src/serialization/serializer.ts', to: 'src/bus.ts', type },
  { rule: 'ports-only-name-types', from: 'src/transport/transport.ts', to: 'src/topology/plan.ts' },
  { rule: 'flow-looks-down', from: 'src/consume/a.ts', to: 'src/transport/memory/broker.ts', type },
  { rule: 'flow-looks-down', from: 'src/publish/a.ts', to: 'src/bus.ts', type },
  { rule: 'flow-looks-down', from: 'src/features/a.ts', to: 'src/jobs/chain.ts', type },
  { rule: 'the-seam-looks-down', from: 'src/pipeline/a.ts', to: 'src/features/unique/a.ts', type },
  { rule: 'features-know-the-seam-alone', from: 'src/features/unique/a.ts', to: 'src/publish/options.ts' },
  {
    rule: 'features-know-the-seam-alone',
    from: 'src/features/unique/b.ts',
    to: 'src/consume/attempt/dispatch.ts',
    type,
  },
  { rule: 'flow-says-what-not-how', from: 'src/consume/a.ts', to: 'src/topology/delays.ts' },
  { rule: 'flow-says-what-not-how', from: 'src/publish/a.ts', to: 'src/topology/address.ts', type },
  {
    rule: 'ports-know-no-implementation',
    from: 'src/transport/operator-session.ts',
    to: 'src/transport/memory/broker.ts',
    type,
  },
  { rule: 'consume-report-looks-down', from: 'src/consume/report/a.ts', to: 'src/consume/intake/a.ts', type },
  { rule: 'consume-handlers-looks-down', from: 'src/consume/handlers/a.ts', to: 'src/consume/intake/a.ts' },
  {
    rule: 'consume-settle-looks-down',
    from: 'src/consume/settle/a.ts',
    to: 'src/consume/attempt/a.ts',
    type,
  },
  { rule: 'consume-attempt-looks-down', from: 'src/consume/attempt/a.ts', to: 'src/consume/intake/a.ts' },
  { rule: 'features-look-down', from: 'src/jobs/a.ts', to: 'src/failures/list.ts', type },
  { rule: 'features-look-down', from: 'src/worker/a.ts', to: 'src/transport/amqp/publish/publisher.ts' },
  { rule: 'features-do-not-load-the-bus', from: 'src/failures/a.ts', to: 'src/bus.ts' },
  {
    rule: 'adapters-stand-alone',
    from: 'src/transport/amqp/a.ts',
    to: 'src/transport/memory/broker.ts',
    type,
  },
  {
    rule: 'adapters-stand-alone',
    from: 'src/transport/memory/a.ts',
    to: 'src/consume/attempt/dispatch.ts',
    type,
  },
  { rule: 'adapters-stand-alone', from: 'src/stores/redis/a.ts', to: 'src/stores/memory/unique.ts' },
  { rule: 'ports-are-types-to-their-users', from: 'src/consume/b.ts', to: 'src/transport/transport.ts' },
  {
    rule: 'ports-are-types-to-their-users',
    from: 'src/transport/amqp/b.ts',
    to: 'src/transport/transport.ts',
  },
  { rule: 'root-composes-the-core-only', from: 'src/bus/options.ts', to: 'src/stores/redis/unique.ts' },
  { rule: 'observers-only-listen', from: 'src/observe/a.ts', to: 'src/consume/attempt/dispatch.ts', type },
  { rule: 'what-every-bus-has-needs-the-events-alone', from: 'src/observe/health/a.ts', to: 'prom-client' },
  {
    rule: 'what-every-bus-has-needs-the-events-alone',
    from: 'src/observe/health/b.ts',
    to: 'src/observe/metrics.ts',
    type,
  },
  { rule: 'cloudevents-are-middleware', from: 'src/cloudevents/event.ts', to: 'src/pipeline/work.ts' },
  { rule: 'observers-only-name-middleware', from: 'src/observe/c.ts', to: 'src/pipeline/middleware.ts' },
  { rule: 'observers-do-not-load-the-bus', from: 'src/observe/b.ts', to: 'src/bus.ts' },
  { rule: 'oversight-looks-down', from: 'src/oversight/a.ts', to: 'src/cli/command.ts', type },
  { rule: 'kept-documents-know-the-ports-alone', from: 'src/kept/a.ts', to: 'src/control/control.ts', type },
  { rule: 'tools-use-what-users-use', from: 'src/cli/a.ts', to: 'src/consume/attempt/dispatch.ts' },
  { rule: 'nest-uses-what-users-use', from: 'src/nest/a.ts', to: 'src/consume/attempt/dispatch.ts' },
  { rule: 'nest-uses-what-users-use', from: 'src/nest/b.ts', to: 'decorators/handlers.ts' },
  { rule: 'index-is-not-imported', from: 'src/testing/a.ts', to: 'src/index.ts', type },
  { rule: 'index-loads-no-other-entry-point', from: 'src/index.ts', to: 'src/observe/metrics.ts' },
  { rule: 'operators-parts-stay-outside-hopline', from: 'src/index.ts', to: 'src/failures/failures.ts' },
  { rule: 'decorators-load-no-client', from: 'decorators/a.ts', to: 'src/bus.ts' },
  { rule: 'decorators-load-no-client', from: 'decorators/b.ts', to: 'src/consume/attempt/dispatch.ts' },
  { rule: 'core-knows-no-decorators', from: 'src/cli/b.ts', to: 'decorators/handles.ts', type },
  { rule: 'examples-use-the-package-name', from: 'examples/a.ts', to: 'src/message/message.ts', type },
  { rule: 'one-copy-in-a-process', from: 'test/unit/a.test.ts', to: 'hopline' },
  { rule: 'programs-are-those-of-users', from: 'test/faults/a-process.ts', to: 'src/bus.ts' },
  { rule: 'product-stands-without-tests', from: 'src/testing/c.ts', to: 'test/support/broker.ts' },
  { rule: 'every-room-has-a-rule', from: 'src/attic/a.ts', to: 'src/errors.ts' },
  { rule: 'injection-stays-in-decorators', from: 'src/consume/c.ts', to: 'tsyringe' },
  { rule: 'injection-stays-in-decorators', from: 'src/testing/d.ts', to: 'reflect-metadata' },
  { rule: 'nest-has-its-own-container', from: 'src/nest/c.ts', to: 'tsyringe' },
  { rule: 'nest-stays-in-its-entry-point', from: 'src/testing/e.ts', to: '@nestjs/common' },
  { rule: 'amqp-stays-in-its-adapter', from: 'src/transport/memory/b.ts', to: 'amqplib', type },
  { rule: 'amqp-stays-in-its-adapter', from: 'decorators/c.ts', to: 'amqplib' },
  { rule: 'redis-stays-in-its-adapter', from: 'src/stores/postgres/a.ts', to: 'ioredis' },
  { rule: 'postgres-stays-in-its-adapter', from: 'src/stores/redis/b.ts', to: 'pg' },
  { rule: 'metrics-stay-with-the-observers', from: 'src/dashboard/a.ts', to: 'prom-client' },
  { rule: 'product-declares-what-it-imports', from: 'src/util/b.ts', to: 'mocha' },
  { rule: 'product-declares-what-it-imports', from: 'src/util/c.ts', to: 'nobody-declared-this' },
  { rule: 'no-cycles', from: 'src/retry/ring-a.ts', to: 'src/retry/ring-b.ts' },
  { rule: 'no-cycles', from: 'src/retry/ring-c.ts', to: 'src/retry/ring-d.ts' },
  { rule: 'no-cycles', from: 'src/retry/ring-e.ts', to: 'src/retry/ring-f.ts', type },
  { rule: 'no-cycles', from: 'src/consume/ring-a.ts', to: 'src/features/ring-b.ts', type },
  { rule: 'everything-resolves', from: 'src/retry/b.ts', to: 'not-installed-anywhere' },
  { rule: 'no-dead-files', from: 'src/retry/dead.ts', to: 'src/errors.ts' },
];

/** Near misses: each is what a rule above allows on purpose. No file of these imports in a forbidden edge. */
export const allowed: readonly Edge[] = [
  { from: 'src/message/good.ts', to: 'src/errors.ts' },
  { from: 'src/serialization/json.ts', to: 'src/serialization/serializer.ts', type },
  { from: 'src/stores/inbox.ts', to: 'src/topology/plan.ts', type },
  { from: 'src/consume/good.ts', to: 'src/retry/policy.ts' },
  { from: 'src/publish/good.ts', to: 'src/transport/transport.ts', type },
  { from: 'src/jobs/good.ts', to: 'src/bus.ts', type },
  { from: 'src/transport/memory/good.ts', to: 'src/topology/plan.ts' },
  { from: 'src/transport/amqp/good.ts', to: 'amqplib' },
  { from: 'src/bus.ts', to: 'src/transport/memory/broker.ts' },
  { from: 'src/bus.ts', to: 'src/observe/health/good.ts' },
  { from: 'src/observe/health/good.ts', to: 'src/events.ts' },
  { from: 'src/observe/good.ts', to: 'prom-client' },
  { from: 'src/observe/good.ts', to: 'src/pipeline/tracing/tracing.ts', type },
  { from: 'src/testing/good.ts', to: 'src/transport/transport.ts' },
  { from: 'src/testing/better.ts', to: 'decorators/handlers.ts' },
  { from: 'decorators/good.ts', to: 'src/bus.ts', type },
  { from: 'decorators/better.ts', to: 'src/message/message.ts' },
  { from: 'decorators/best.ts', to: 'tsyringe' },
  { from: 'examples/good.ts', to: 'hopline' },
  { from: 'test/faults/good-process.ts', to: 'hopline' },
];

/** Not judged themselves: each closes the ring that a forbidden edge opens (a cycle is reported once). */
export const ringClosings: readonly Edge[] = [
  { from: 'src/retry/ring-b.ts', to: 'src/retry/ring-a.ts' },
  { from: 'src/retry/ring-d.ts', to: 'src/retry/ring-c.ts', type },
  { from: 'src/retry/ring-f.ts', to: 'src/retry/ring-e.ts', type },
  { from: 'src/features/ring-b.ts', to: 'src/consume/ring-a.ts', type },
];
