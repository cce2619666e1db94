import type { ManagementFacts, NodeFacts } from '../doctor/facts.js';
import { bindingOf, exchangeOf, type Json, nodeOf, policyOf, queueInUseOf, queueOf } from './answers.js';
import { ManagementError } from './errors.js';
import type {
  ManagedBinding,
  ManagedConnections,
  ManagedExchange,
  ManagedQueue,
  ManagedQueueInUse,
} from './managed.js';

const ANSWER_MS = 10_000;

/** Totals without statistics, which may be turned off; 500 a page is the most that RabbitMQ 4.3 gives. */
const QUEUE_QUERY = 'disable_stats=true&enable_queue_totals=true';
const PAGE = 'page_size=500';

/** What only statistics have beside it; the rest of what they say of each queue is left out. */
const IN_USE_QUERY =
  'columns=name,type,exclusive,durable,auto_delete,arguments,members,online,messages,messages_ready,messages_unacknowledged,consumers,policy,operator_policy,effective_policy_definition';

/**
 * Client of RabbitMQ's management API, for the few facts that AMQP does not have: alarms, members, policies
 * and bindings (https://www.rabbitmq.com/docs/http-api-reference).
 */
export class Management {
  private readonly base: URL;
  private readonly authorization: string;

  /** @param url address with credentials; they travel in a header and are never shown */
  constructor(
    url: string,
    private readonly vhost: string,
  ) {
    this.base = new URL(url);
    const { username, password } = this.base;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    this.base.username = '';
    this.base.password = '';
  }

  /** The API's address, without credentials. */
  get address(): string {
    return this.base.host;
  }

  /** @throws ManagementError */
  async facts(): Promise<ManagementFacts> {
    const [cluster, nodes, queues, bindings, policies, operatorPolicies] = await Promise.all([
      this.cluster(),
      this.nodes(),
      this.queues(),
      this.bindings(),
      this.list(`policies/${this.here}`),
      this.list(`operator-policies/${this.here}`),
    ]);
    return {
      cluster,
      nodes,
      queues,
      bindings,
      policies: [
        ...policies.map((policy) => policyOf(policy, 'policy')),
        ...operatorPolicies.map((policy) => policyOf(policy, 'operator policy')),
      ],
    };
  }

  /**
   * Verifies that the API belongs to the broker's cluster: several brokers may run on one machine, and only
   * one has the usual port.
   *
   * @param cluster name of the cluster, by the broker itself
   * @throws ManagementError
   */
  async requireCluster(cluster: string | undefined): Promise<void> {
    const own = await this.cluster();
    if (cluster !== undefined && own !== cluster)
      throw this.error(
        `speaks for cluster '${own}', and the broker belongs to '${cluster}'`,
        'Name the address of the right one with --management.',
      );
  }

  /** @throws ManagementError */
  async queues(): Promise<ManagedQueue[]> {
    return (await this.queuePages(QUEUE_QUERY)).map(queueOf);
  }

  /** The same with what statistics have, and policies make of them. @throws ManagementError */
  async queuesInUse(): Promise<ManagedQueueInUse[]> {
    return (await this.queuePages(IN_USE_QUERY)).map(queueInUseOf);
  }

  /** @throws ManagementError */
  async nodes(): Promise<NodeFacts[]> {
    return (await this.list('nodes')).map(nodeOf);
  }

  /** @throws ManagementError */
  async bindings(): Promise<ManagedBinding[]> {
    return (await this.list(`bindings/${this.here}`)).map(bindingOf);
  }

  /** @throws ManagementError */
  async exchanges(): Promise<ManagedExchange[]> {
    return (await this.list(`exchanges/${this.here}`)).map(exchangeOf);
  }

  /** @throws ManagementError */
  async connections(): Promise<ManagedConnections> {
    const response = await this.ask('overview', 'GET');
    const { object_totals: totals, churn_rates: churn } = (await response.json()) as {
      object_totals?: Json;
      churn_rates?: Json;
    };
    const [open, created, closed] = [
      totals?.connections,
      churn?.connection_created,
      churn?.connection_closed,
    ].map((count) => (typeof count === 'number' ? count : undefined));
    return { open, changes: created === undefined || closed === undefined ? undefined : created + closed };
  }

  /** @throws ManagementError */
  async unbind({ source, destination, destinationType, propertiesKey }: ManagedBinding): Promise<void> {
    const [from, to, key] = [source, destination, propertiesKey].map(encodeURIComponent);
    const kind = destinationType === 'queue' ? 'q' : 'e';
    await this.ask(`bindings/${this.here}/e/${from}/${kind}/${to}/${key}`, 'DELETE');
  }

  /** Deletes a queue with all its messages. @throws ManagementError */
  async deleteQueue(queue: string): Promise<void> {
    await this.ask(`queues/${this.here}/${encodeURIComponent(queue)}`, 'DELETE');
  }

  private async queuePages(query: string): Promise<Json[]> {
    const found: Json[] = [];
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const response = await this.ask(`queues/${this.here}?${query}&${PAGE}&page=${page}`, 'GET');
      const { items, page_count } = (await response.json()) as { items: Json[]; page_count: number };
      found.push(...items);
      pages = page_count;
    }
    return found;
  }

  private async cluster(): Promise<string> {
    const response = await this.ask('overview', 'GET');
    return String(((await response.json()) as Json).cluster_name);
  }

  /** The vhost, as paths name it. */
  get here(): string {
    return encodeURIComponent(this.vhost);
  }

  private async list(path: string): Promise<Json[]> {
    const response = await this.ask(path, 'GET');
    return (await response.json()) as Json[];
  }

  /** @throws ManagementError */
  async ask(path: string, method: 'GET' | 'DELETE' | 'POST' | 'PUT', content?: Json): Promise<Response> {
    const url = new URL(`api/${path}`, this.base);
    const headers = { authorization: this.authorization, 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(ANSWER_MS);
    const body = content === undefined ? null : JSON.stringify(content);
    const response = await fetch(url, { method, headers, signal, body }).catch((cause: Error) => {
      const why = (cause.cause as Error | undefined)?.message ?? cause.message;
      throw this.error(
        `does not answer: ${why}`,
        'Enable the plugin rabbitmq_management, or name its address with --management.',
        cause,
      );
    });
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status === 401)
      throw this.error(
        'refuses the credentials',
        'Give the user the tag monitoring, or set MANAGEMENT_URL with another user.',
      );
    throw this.error(
      `answers ${response.status} to ${method} ${url.pathname}`,
      'Look at the vhost in the url, and at the rights of the user.',
    );
  }

  private error(what: string, help: string, cause?: unknown): ManagementError {
    return new ManagementError(`the management API at ${this.address} ${what}`, help, { cause });
  }
}
