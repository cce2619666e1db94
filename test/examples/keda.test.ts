import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { Command } from '../cli/command.js';
import { PROVIDE_TIMEOUT_MS } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';
import { eventually } from '../support/eventually.js';
import { sharedBroker } from '../support/global-setup.js';
import { removeFromBroker } from './remove-from-broker.js';

const root = resolve(import.meta.dirname, '../../..');

interface Deployment {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
  };
}

interface Container {
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
}

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly selector: object;
    readonly ports: readonly [{ readonly port: number; readonly targetPort: string }];
  };
}

interface ScaledObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly name: string };
    readonly minReplicaCount: number;
    readonly triggers: readonly [
      {
        readonly type: string;
        readonly metricType: string;
        readonly metadata: Readonly<Record<string, string>>;
      },
    ];
  };
}

describe('the example of KEDA', function () {
  this.timeout(60_000);
  const documents = parseAllDocuments(readFileSync(join(root, 'examples/deploy/keda.yaml'), 'utf8'));
  const [deployment, service, scaled] = documents.map((each) => each.toJS()) as [
    Deployment,
    Service,
    ScaledObject,
  ];
  const pod = deployment.spec.template;
  const [container] = pod.spec.containers;
  const [trigger] = scaled.spec.triggers;
  const address = container.args[container.args.indexOf('--scaling-port') + 1] ?? '';
  let url: string;

  before(async function () {
    this.timeout(PROVIDE_TIMEOUT_MS);
    url = (await sharedBroker()).url;
  });
  after(() => removeFromBroker(url, { queues: ['mailer.welcome', 'mailer.digest'] }));

  it('is YAML that says each thing once', () => {
    assert.deepEqual(
      documents.flatMap(({ errors, warnings }) => [...errors, ...warnings]),
      [],
    );
    assert.deepEqual(
      documents.map((each) => each.get('kind')),
      ['Deployment', 'Service', 'ScaledObject'],
    );
  });

  it('leads from KEDA to the pods: names, labels and ports are the same', () => {
    const asked = new URL(trigger.metadata.url ?? '');
    assert.equal(asked.hostname.split('.')[0], service.metadata.name);
    assert.equal(Number(asked.port), service.spec.ports[0].port);
    assert.deepEqual(service.spec.selector, pod.metadata.labels);
    assert.deepEqual(deployment.spec.selector.matchLabels, pod.metadata.labels);
    const named = container.ports.find(({ name }) => name === service.spec.ports[0].targetPort);
    assert.equal(address, `0.0.0.0:${named?.containerPort}`);
    assert.equal(container.readinessProbe.httpGet.port, named?.name);
    assert.equal(scaled.spec.scaleTargetRef.name, deployment.metadata.name);
  });

  it('asks for what the arithmetic of the figure needs: one process a pod, an average over pods, never none', () => {
    assert.equal(trigger.type, 'metrics-api');
    assert.equal(trigger.metricType, 'AverageValue');
    assert.ok(scaled.spec.minReplicaCount >= 1);
    assert.ok(!container.args.includes('--processes'));
    assert.ok(Number(trigger.metadata.targetValue) > 0);
  });

  it('gives a pod more time to stop than it gives its process', () => {
    const own = Number.parseInt(container.args[container.args.indexOf('--stop-timeout') + 1] ?? '', 10);
    assert.ok(pod.spec.terminationGracePeriodSeconds > own + 5);
  });

  it('runs with the command that stands in it, and finds its number where it looks for it', async () => {
    // Its own port may be taken here; all else is as it stands.
    const [port = 0] = await freePorts(1);
    const [app = '', ...flags] = container.args.map((word) => (word === address ? `0.0.0.0:${port}` : word));
    const module = join(root, app.replace('dist/', 'dist/examples/deploy/'));
    const command = new Command(['work', module, ...flags], { url });
    try {
      const { pathname } = new URL(trigger.metadata.url ?? '');
      assert.equal(container.readinessProbe.httpGet.path, pathname);
      const figure = await eventually(
        async () => {
          const response = await fetch(`http://127.0.0.1:${port}${pathname}`);
          assert.equal(response.status, 200);
          return (await response.json()) as Record<string, unknown>;
        },
        { timeout: 20_000 },
      ).catch((error: Error) => assert.fail(`${error.message}\n${command.stdout}${command.stderr}`));
      const value = figure[trigger.metadata.valueLocation ?? ''];
      assert.equal(typeof value, 'number', JSON.stringify(figure));
    } finally {
      command.child.kill('SIGTERM');
      await command.ended;
    }
    assert.equal((await command.ended).code, 0, command.stdout);
  });
});
