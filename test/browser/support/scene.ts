import { type ManagedNode, managedNode } from '../../cli/managed-node.js';
import { sharedPostgres } from '../../support/global-setup.js';
import { closeBrowser } from './chromium.js';
import { DashboardProcess } from './dashboard.js';
import { Shop } from './shop.js';
import { Visitor, type VisitorOptions } from './visitor.js';

/** For the hook that opens a scene: broker, database and browser may have to be installed first. In milliseconds. */
export const SCENE_TIMEOUT_MS = 600_000;

let shared: Promise<ManagedNode> | undefined;

// Of the run, whichever files it has.
after(async function () {
  this.timeout(60_000);
  await closeBrowser();
  const managed = await shared?.catch(() => undefined);
  shared = undefined;
  await managed?.node.stop();
});

export interface SceneOptions {
  /** One that the test may hurt. @default that of the run */
  readonly broker?: ManagedNode;
  /** Further options of `dashboard()`. @default actions are allowed */
  readonly options?: object;
}

/** An application, its dashboard, and who looks at it. */
export class Scene {
  private readonly visitors: Visitor[] = [];

  private constructor(
    readonly shop: Shop,
    readonly dashboard: DashboardProcess,
  ) {}

  static async open({ broker, options }: SceneOptions = {}): Promise<Scene> {
    shared ??= broker ? undefined : managedNode();
    const { node, managementUrl: management } = broker ?? ((await shared) as ManagedNode);
    const shop = await Shop.open(node.url, (await sharedPostgres()).url);
    const { prefix, database } = shop;
    const given = { url: node.url, prefix, management, database, ...(options && { options }) };
    return new Scene(shop, await DashboardProcess.start(given));
  }

  /** Somebody comes, and has not gone anywhere yet. */
  async visitor(options: Omit<VisitorOptions, 'address'> = {}): Promise<Visitor> {
    const visitor = await Visitor.come({ address: this.dashboard.address, ...options });
    this.visitors.push(visitor);
    return visitor;
  }

  /** For `afterEach`. @throws AssertionError if a page has complained to a visitor */
  async visitorsLeave(): Promise<void> {
    const left = await Promise.allSettled(this.visitors.splice(0).map((visitor) => visitor.leave()));
    const failed = left.find((each) => each.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async close(): Promise<void> {
    await this.dashboard.stop();
    await this.shop.close();
  }
}
