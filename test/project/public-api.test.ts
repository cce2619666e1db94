import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ApiSnapshot,
  compareApis,
  describeApi,
  hiddenTypes,
  parseSnapshot,
  renderSnapshot,
} from './api-snapshot.js';
import { read, root } from './repository.js';

const file = 'test/project/public-api.snapshot.md';

/** Types that nobody writes in code of their own, by their names or by those of all that name them, with why. */
const HIDDEN: Readonly<Record<string, string>> = {
  BusEvents: "fields of events, as BusEvents['message.retried']",
  AttemptEventMap: 'a part of BusEvents',
  BatchEventMap: 'a part of BusEvents',
  BusLifeEventMap: 'a part of BusEvents',
  CircuitEventMap: 'a part of BusEvents',
  ConnectionEventMap: 'a part of BusEvents',
  ConsumerEventMap: 'a part of BusEvents',
  OutboxEventMap: 'a part of BusEvents',
  PublishEventMap: 'a part of BusEvents',
  RequestEventMap: 'a part of BusEvents',
  Transport: 'made by rabbitmq() and memory() only',
  TopologyPlan: "BusDescription['topology']",
  Sender: 'what publishers of ours hand their calls to',
  RequestSender: 'what requesters of ours hand their calls to',
  QueueKind: "QueueDescription['kind']",
  QueueState: "QueueReport['state']",
  ConsumingStatus: 'a field of ProcessStatus',
  ConnectionRole: 'a field of ConnectionHealth',
  ConsumeMiddleware: "MiddlewareObject['consume']",
  ConsumedChange: 'what ConsumeNext takes',
  PublishedChange: 'what PublishNext takes',
  JsonOptions: 'the argument of json()',
  MemoryOptions: 'the argument of memory()',
  StopOptions: 'the argument of bus.stop()',
  BusReplyOptions: 'the argument of bus.reply(), as RepliesOptions',
  ReplyOptions: 'a part of RepliesOptions',
  ReplyingOptions: 'a part of RepliesOptions',
  ReplyFunction: 'a function of a payload and its context',
  StaticKeysOptions: 'the argument of staticKeys()',
  PackSettings: 'what defineMessage makes of its options',
  UniqueSettings: 'what defineMessage makes of its options',
  Closed: 'two literals',
  Jobs: 'protected: what a bus has its jobs by',
  OfJobs: 'names of options',
  JobOptionsFor: 'computed',
  Listener: 'a function of one argument',
  EachOf: 'computed',
  EachPayload: 'computed',
  ReadAs: 'computed',
  IsPattern: 'computed',
  NothingElse: 'computed',
  Handle: 'checks what a decorator stands on',
  HandleBatch: 'checks what a decorator stands on',
  Patterns: 'the first argument of bus.handle()',
  PayloadOf: 'computed from the patterns',
  PublishedTo: 'computed from the patterns',
  CheckedJob: 'computed from the job',
  CheckedJobs: 'computed from the jobs',
  CheckedStep: 'computed from the step',
  CheckedSteps: 'computed from the steps',
  JsonForm: 'computed from what a part of a handler returns',
  OptionsFor: 'computed from the definition',
  ManyOptionsFor: 'computed from the definition',
  PublishIntent: 'two literals, of a method that users do not call',
  LeavingIntent: "PublishRequest['intent']",
  DefineRequestOptions: 'the argument of defineRequest()',
  RemoteFailure: "ResponderError['remote']",
  BusState: "Bus['state']",
  BodyOption: "QueueOptions['body']",
  QueueType: "QueueOptions['type']",
  TopologyMode: "BusOptions['topology']",
  UniqueRule: 'the common part of UniqueOptions and of the option of a send',
  UniqueSend: "PublishOptions['unique']",
  ErrorMatcher: "ErrorRule['error']",
  ExponentialBackoff: 'one form of BackoffPolicy',
  HeaderValue: "Headers['name']",
  Key: "EncryptionKey['key']",
  Pem: "TlsOptions['ca']",
  BrokerUrl: "RabbitmqOptions['url']",
  PublishManyFailure: "PublishManyError['failures'][number]",
  BatchCounts: 'the common part of BatchStatus and of what a dispatch resolves to',
  StepFailure: "StepContext['failure']",
  MessageProperties: "MessageContext's own fields",
  ArgumentValue: 'Arguments[string]',
  QueueOptionsFor: "the rest of sendToQueue's arguments",
  MigratingAnswer: "ControlAnswer['migration']",
};

/** Maximum names of `hopline`: what a service's author needs. Parts for operators and for stores have entry points of their own. */
const MAX_NAMES = 160;

describe('the public API', () => {
  let api: ApiSnapshot;
  before(() => {
    api = describeApi();
  });

  it(`is what ${file} says`, () => {
    if (process.env.UPDATE_SNAPSHOT) writeFileSync(join(root, file), renderSnapshot(api));
    const changes = compareApis(parseSnapshot(read(file)), api);
    if (changes.length > 0) {
      assert.fail(
        `${changes.join('\n\n')}\n\nMeant so? Run UPDATE_SNAPSHOT=1 npm test, and say it in the changelog.`,
      );
    }
    assert.equal(read(file), renderSnapshot(api), 'the snapshot was edited by hand');
  });

  it('exports each type that a signature names and that users write themselves', () => {
    const missing = [...hiddenTypes()]
      .map(
        ([name, owners]) => [name, owners.filter((owner) => !(owner in HIDDEN || name in HIDDEN))] as const,
      )
      .filter(([, owners]) => owners.length > 0);
    assert.deepEqual(missing, []);
  });

  it(`gives a service's author at most ${MAX_NAMES} names, and each name from one entry point only`, () => {
    const titles = [...api.keys()].map((title) => title.split(' › ') as [entry: string, name: string]);
    const names = titles.filter(([entry]) => entry === 'hopline');
    assert.ok(names.length <= MAX_NAMES, `${names.length} names`);
    const all = titles.map(([, name]) => name);
    assert.deepEqual(
      all.filter((name, index) => all.indexOf(name) !== index),
      [],
    );
  });

  it('has no builder that a promise would be taken for: none has a method then', () => {
    const thenable = [...api]
      .filter(([, text]) => /^\s*(readonly )?then[?<(:]/m.test(text))
      .map(([name]) => name);
    assert.deepEqual(
      thenable.filter((name) => name !== 'hopline › ErrorRule'),
      [],
    );
  });
});
