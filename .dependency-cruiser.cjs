/**
 * Who may import whom. The rows run from the bottom of the house to its top: an import goes down, an upward
 * reference is an `import type`. test/project/imports.test.ts runs these rules and proves that each of them bites.
 */
const { paths } = require('./tsconfig.json').compilerOptions;

const either = (...patterns) => `(${patterns.join('|')})`;

const util = '^src/util/';
const foundation = either(util, '^src/message/', '^src/(errors|events)(\\.ts$|/)');
const pure = '^src/(topology|retry|serialization|encryption)/';
const ports = either(
  '^src/transport/[^/]+\\.ts$',
  '^src/stores/(?!index)[^/]+\\.ts$',
  '^src/serialization/serializer\\.ts$',
);
/** What stages are, and what they decide: shared by the features and by the ways that are made of them. */
const seam = '^src/pipeline/';
/** What middleware sees, and what of that is for tracers. */
const middleware = '^src/pipeline/(middleware|consume-middleware|publish-middleware|tracing/tracing)\\.ts$';
const flow = '^src/(pipeline|publish|consume|features)/';
const features = '^src/(jobs|failures|worker|control)/';
const adapters = '^src/(transport/(amqp|memory)|stores/(memory|redis|postgres))/';
const root = '^src/bus(\\.ts$|/)';
const observe = '^src/observe/';
/** What of the observers every bus has. */
const everyBus = '^src/observe/(health|failure-log)/';
/** Messages as CloudEvents: a middleware. */
const cloudEvents = '^src/cloudevents/';
/** Documents that operators share, kept in the broker. */
const kept = '^src/kept/';
/** An application seen from outside: for whoever looks after it. */
const oversight = '^src/oversight/';
const tools = '^src/(dashboard|cli|testing)/';
/** What fits a bus into an application of NestJS. */
const nest = '^src/nest/';
const operate = '^src/operate\\.ts$';
const index = either('^src/index\\.ts$', operate, '^src/stores/index\\.ts$');
const decorators = '^decorators/';

const product = '^(src|decorators)/';
/** `import type`, and `import('…').T` inside a type, leave nothing in the JavaScript. */
const valueImport = { dependencyTypesNot: ['type-only', 'type-import'] };

const packages = (...names) => `(^|/)node_modules/${either(...names)}/`;

/** Packages that are built into ours. */
const builtIn = packages(
  ...['bytes', 'fastest-levenshtein', 'ms', 'rate-limiter-flexible', 'uuid', 'valibot'],
  ...['cli-progress', 'cli-table3', 'commander', 'pino', 'pino-pretty'],
  ...['hono', '@hono/node-server', 'preact', 'preact-render-to-string', 'uplot'],
  ...['@types/bytes', '@types/cli-progress', '@types/ms'],
);

/** The sources that the entry points, the command, and the processes that it starts are built from. */
const entrySources = Object.values(paths)
  .flat()
  .concat('src/cli/main.ts', 'src/cli/work-process.ts', 'src/dashboard/client/main.tsx')
  .map((source) => `^${source.replace('./', '').replace(/\.(tsx?)$/, '\\.$1')}$`);

/** Files of the tests that run as programs, and applications that a command loads. */
const programs = '^test/.*(/apps/|-app\\.ts$|-process\\.ts$|/bundled-worker\\.ts$)';

const layering = [
  {
    name: 'util-knows-no-domain',
    comment: 'util/ holds no domain words, so that any file may use it and it could be taken out as it is.',
    from: { path: util },
    to: { path: product, pathNot: util },
  },
  {
    name: 'foundation-stands-alone',
    comment: 'The vocabulary, the errors and the events are what every part shares: they depend on no part.',
    from: { path: foundation },
    to: { path: product, pathNot: foundation },
  },
  {
    name: 'pure-parts-stand-alone',
    comment:
      'topology, retry, serialization and encryption are pure: each is understood, and tested, without the others.',
    from: { path: pure },
    to: { path: product, pathNot: either(foundation, '^src/$1/') },
  },
  {
    name: 'ports-know-no-implementation',
    comment:
      'A port is a contract. What it names is vocabulary, plain data or another port, never one of its adapters or users.',
    from: { path: ports },
    to: { path: product, pathNot: either(foundation, pure, ports) },
  },
  {
    name: 'ports-only-name-types',
    comment: 'A port that loads code is no longer only a contract.',
    from: { path: ports },
    to: { path: pure, ...valueImport },
  },
  {
    name: 'flow-looks-down',
    comment:
      'The way of a message runs on ports and pure parts: it knows no broker, no bus and no job feature.',
    from: { path: flow },
    to: { path: product, pathNot: either(foundation, pure, ports, flow) },
  },
  {
    name: 'the-seam-looks-down',
    comment: 'What stages are, and what they decide, is said without any stage: no feature, and neither way.',
    from: { path: seam },
    to: { path: product, pathNot: either(foundation, pure, ports, seam) },
  },
  {
    name: 'features-know-the-seam-alone',
    comment:
      'A feature is stages and an option: what runs them, and what publishes, is composed of features and is not named by them.',
    from: { path: '^src/features/[^/]+/' },
    to: { path: '^src/(consume|publish)/' },
  },
  {
    name: 'flow-says-what-not-how',
    comment:
      'Where a message goes is a destination; exchanges and keys of the delays are written by the transports.',
    from: { path: flow },
    to: { path: '^src/topology/(address|delays)\\.ts$' },
  },
  ...[
    ['report', '(handlers|settle|attempt|intake)'],
    ['handlers', '(report|settle|attempt|intake)'],
    ['settle', '(handlers|attempt|intake)'],
    ['attempt', 'intake'],
  ].map(([room, above]) => ({
    name: `consume-${room}-looks-down`,
    comment: 'The rooms of the way in stand on each other: report and handlers, settle, attempt, intake.',
    from: { path: `^src/consume/${room}/` },
    to: { path: `^src/consume/${above}/` },
  })),
  {
    name: 'kept-documents-know-the-ports-alone',
    comment: 'What is in a document is the business of whoever keeps it there.',
    from: { path: kept },
    to: { path: product, pathNot: either(foundation, pure, ports, kept) },
  },
  {
    name: 'features-look-down',
    comment: 'Jobs, failures and workers build on the way of a message, each without the other two.',
    from: { path: features },
    to: { path: product, pathNot: either(foundation, pure, ports, flow, kept, root, '^src/$1/') },
  },
  {
    name: 'features-do-not-load-the-bus',
    comment: 'The bus is composed of the features; what they need of it is an `import type`.',
    from: { path: features },
    to: { path: root, ...valueImport },
  },
  {
    name: 'adapters-stand-alone',
    comment: 'An adapter implements a port and nothing else: adding or removing one touches no other.',
    from: { path: adapters },
    to: { path: product, pathNot: either(foundation, pure, ports, '^src/$1/') },
  },
  {
    name: 'ports-are-types-to-their-users',
    comment: 'Whoever speaks through a port, and whoever implements it, needs its shape alone.',
    from: { path: either(flow, kept, features, adapters, observe) },
    to: { path: ports, ...valueImport },
  },
  {
    name: 'root-composes-the-core-only',
    comment:
      'The bus must not pull in what only some users install (redis, postgres, metrics) or see (tools). Health and the log ' +
      'of failures need nothing to be installed, and every bus has them.',
    from: { path: root },
    to: {
      path: either('^src/stores/(redis|postgres)/', observe, oversight, tools, nest, decorators),
      pathNot: everyBus,
    },
  },
  {
    name: 'observers-only-listen',
    comment: 'Metrics, traces and health are listeners on the events: taking one out changes nothing else.',
    from: { path: observe },
    to: { path: product, pathNot: either(foundation, ports, root, observe, middleware) },
  },
  {
    name: 'observers-only-name-middleware',
    comment: 'A tracer is a kind of middleware: it needs its types alone.',
    from: { path: observe },
    to: { path: middleware, ...valueImport },
  },
  {
    name: 'what-every-bus-has-needs-the-events-alone',
    comment:
      'Every bus has its health and its log of failures: what these import is installed with each of them.',
    from: { path: everyBus },
    to: { path: either(product, packages('.*')), pathNot: either(foundation, everyBus) },
  },
  {
    name: 'cloudevents-are-middleware',
    comment: 'What middleware sees is all that they need of a bus.',
    from: { path: cloudEvents },
    to: { path: product, pathNot: either(foundation, pure, middleware, cloudEvents) },
  },
  {
    name: 'observers-do-not-load-the-bus',
    comment: 'A listener is handed a bus; it needs its type alone.',
    from: { path: observe },
    to: { path: root, ...valueImport },
  },
  {
    name: 'oversight-looks-down',
    comment:
      'Whoever oversees an application asks the broker, its management API and the running processes: it is no part of the tools ' +
      'that show what it finds, nor of any bus.',
    from: { path: oversight },
    to: {
      path: product,
      pathNot: either(foundation, pure, ports, flow, kept, features, '^src/observe/alerts/', oversight),
    },
  },
  {
    name: 'tools-use-what-users-use',
    comment:
      'Dashboard, command line and test kit work through the bus and the ports, not inside the way of a message.',
    from: { path: either(tools, oversight) },
    to: { path: flow, ...valueImport },
  },
  {
    name: 'nest-uses-what-users-use',
    comment:
      'A bus in a Nest application is a bus like others. Of its handlers, what `handlers()` says of classes is enough, without the ' +
      'container that it has.',
    from: { path: nest, pathNot: '^src/nest/testing/' },
    to: {
      path: either(
        flow,
        pure,
        adapters,
        tools,
        '^decorators/(handlers|instances|dependencies)',
        '^src/nest/testing/',
      ),
      ...valueImport,
    },
  },
  {
    name: 'index-is-not-imported',
    comment:
      'index.ts, operate.ts and stores/index.ts are lists of public names. An import of one from inside makes every file depend ' +
      'on every other.',
    from: { path: product },
    to: { path: index },
  },
  {
    name: 'index-loads-no-other-entry-point',
    comment:
      'What only another entry point needs is an optional peer: importing `hopline` must not ask for it.',
    from: { path: index },
    to: {
      path: either('^src/stores/(redis|postgres)/', observe, tools, nest, decorators),
      pathNot: everyBus,
    },
  },
  {
    name: 'operators-parts-stay-outside-hopline',
    comment:
      'A service that publishes and handles does not load what reads dead letters or asks processes for their status.',
    from: { path: '^src/index\\.ts$' },
    to: { path: either(operate, '^src/failures/', '^src/control/'), ...valueImport },
  },
  {
    name: 'decorators-load-no-client',
    comment:
      'A handler class is imported by tests and by other code: its decorators bring in vocabulary and errors only.',
    from: { path: decorators },
    to: { path: '^src/', pathNot: either('^src/(message|util)/', '^src/errors(\\.ts$|/)'), ...valueImport },
  },
  {
    name: 'core-knows-no-decorators',
    comment:
      'Everything a decorator says can be said without it, so the core never needs one. The test kit is no core: it takes ' +
      'the same classes as a service does, so it may call `handlers()`, and loads it only when it is given classes; and Nest is a ' +
      'container beside the one that the decorators have.',
    from: { path: '^src/', pathNot: either('^src/testing/', nest) },
    to: { path: decorators },
  },
  {
    name: 'examples-use-the-package-name',
    comment:
      "Examples show what a user's file looks like: they import `hopline` and their own files, no path into the code.",
    from: { path: '^examples/' },
    to: { path: '^(src|decorators|test|scripts|dist|lib)/', dependencyTypes: ['local'] },
  },
  {
    name: 'one-copy-in-a-process',
    comment:
      'Tests import the sources. `hopline`, which is the built package, is for programs of their own: in one process there ' +
      'would be two copies, whose classes are not the same.',
    from: { path: '^(test|scripts)/', pathNot: programs },
    to: { path: '^lib/' },
  },
  {
    name: 'programs-are-those-of-users',
    comment: 'A program that a test starts has the built package and no sources, as users have it.',
    from: { path: programs, pathNot: '^test/unit/' },
    to: { path: product, ...valueImport },
  },
  {
    name: 'product-stands-without-tests',
    comment: 'What is published never needs what is not.',
    from: { path: product },
    to: { path: '^(test|examples|scripts|bench)/' },
  },
  {
    name: 'every-room-has-a-rule',
    comment: 'A new directory in src gets its row above before it gets imports.',
    from: {
      path: '^src/',
      pathNot: either(
        ...[foundation, pure, ports, flow, kept, features, adapters, root],
        ...[observe, oversight, cloudEvents, tools, nest, index],
      ),
    },
    to: { path: '.' },
  },
];

const outside = [
  {
    name: 'pages-stay-in-the-dashboard',
    comment: 'What serves and draws pages is built into one entry point.',
    from: { path: product, pathNot: '^src/dashboard/' },
    to: { path: packages('hono', '@hono/node-server', 'preact', 'preact-render-to-string', 'uplot') },
  },
  {
    name: 'injection-stays-in-decorators',
    comment: 'The core works with any container, or none: tsyringe and reflect-metadata live in decorators/.',
    from: { path: '^src/', pathNot: nest },
    to: { path: packages('tsyringe', 'reflect-metadata') },
  },
  {
    name: 'nest-has-its-own-container',
    comment: 'An application of Nest has a container; its metadata are read by what it has installed itself.',
    from: { path: nest },
    to: { path: packages('tsyringe') },
  },
  {
    name: 'nest-stays-in-its-entry-point',
    comment: 'The packages of Nest are optional peers of hopline/nest.',
    from: { path: product, pathNot: nest },
    to: { path: packages('@nestjs') },
  },
  {
    name: 'amqp-stays-in-its-adapter',
    comment: 'The client library can be replaced without touching anything but src/transport/amqp.',
    from: { path: product, pathNot: '^src/transport/amqp/' },
    to: { path: packages('amqplib') },
  },
  {
    name: 'redis-stays-in-its-adapter',
    comment: 'ioredis is an optional peer of one entry point.',
    from: { path: product, pathNot: '^src/stores/redis/' },
    to: { path: packages('ioredis') },
  },
  {
    name: 'postgres-stays-in-its-adapter',
    comment: 'pg is an optional peer of one entry point.',
    from: { path: product, pathNot: '^src/stores/postgres/' },
    to: { path: packages('pg') },
  },
  {
    name: 'metrics-stay-with-the-observers',
    comment: 'prom-client and the OpenTelemetry API are optional peers of an entry point each.',
    from: { path: product, pathNot: observe },
    to: { path: packages('prom-client', '@opentelemetry/api') },
  },
  {
    name: 'product-declares-what-it-imports',
    comment:
      'The bundler builds in whatever is no dependency of users. What it may build in is listed above: each adds to what they ' +
      'download, and a fix in it needs a release of Hopline.',
    from: { path: product },
    to: {
      dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
      dependencyTypesNot: ['npm-peer'],
      pathNot: builtIn,
    },
  },
];

/** What a browser gets of the dashboard: views, what they are made of, and the script. */
const inBrowser = '^src/dashboard/(ui/|client/|pages/.*\\.tsx$|pages/views\\.ts$)';

const browser = [
  {
    name: 'views-load-nothing-of-the-server',
    comment: 'A view is drawn in the browser, too: of what makes its model it knows types alone.',
    from: { path: inBrowser },
    to: {
      path: either(product, '^node_modules/@hono/'),
      pathNot: either('^src/dashboard/(ui|client|pages)/', util),
      ...valueImport,
    },
  },
  {
    name: 'views-load-no-page',
    comment: "A page's model and its actions are made on the server.",
    from: { path: inBrowser },
    to: {
      path: either('^src/dashboard/pages/pages?\\.ts$', '^src/dashboard/pages/[^/]+/(page|actions)\\.ts$'),
      ...valueImport,
    },
  },
  {
    name: 'views-load-nothing-of-node',
    comment: 'A browser has no Node.js.',
    from: { path: inBrowser },
    to: { dependencyTypes: ['core'], ...valueImport },
  },
];

const hygiene = [
  {
    name: 'no-cycles',
    comment:
      'Files that name each other can only be read, and moved, together: this holds for types as well.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'everything-resolves',
    comment: 'An import that leads nowhere is one that no rule here has judged.',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-dead-files',
    comment: 'A file that no entry point reaches is published for nobody.',
    from: { path: entrySources },
    to: { path: product, pathNot: entrySources, reachable: false },
  },
];

module.exports = {
  forbidden: [...layering, ...outside, ...browser, ...hygiene].map((rule) => ({
    severity: 'error',
    ...rule,
  })),
  options: {
    // Packages of their own, with dependencies of their own; and files that a test puts into a copy of the sources.
    exclude: {
      path: '^test/(tracers|nest/eleven|moving/app|foreign/clients|stacks/(tools|programs)|project/handler-option)/',
    },
    doNotFollow: { path: '(^|/)node_modules/|^(dist|lib)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
