import { serverVersion } from '../support/broker/amqp-probe.js';
import { PrivateNode } from '../support/broker/index.js';
import { freePorts } from '../support/broker/ports.js';

/** A node that speaks all the protocols. */
export interface ForeignBroker {
  readonly node: PrivateNode;
  readonly host: string;
  readonly mqttPort: number;
  readonly stompPort: number;
  /** Its own, such as `3.10.8`. */
  readonly version: string;
  /** It has AMQP 1.0 by a plugin, and no MQTT 5: before 4.0. */
  readonly isOld: boolean;
}

/** From 4.0 on AMQP 1.0 is no plugin; one of its name is still there, and does nothing. */
const PLUGINS = ['rabbitmq_mqtt', 'rabbitmq_stomp', 'rabbitmq_amqp1_0'];

let started: Promise<ForeignBroker> | undefined;

/** The one node of the run, which ends with it. */
export function foreignBroker(): Promise<ForeignBroker> {
  started ??= start();
  return started;
}

async function start(): Promise<ForeignBroker> {
  const host = '127.0.0.1';
  const [mqttPort, stompPort] = (await freePorts(2)) as [number, number];
  const config = [
    `mqtt.listeners.tcp.1 = ${host}:${mqttPort}`,
    `stomp.listeners.tcp.1 = ${host}:${stompPort}`,
  ];
  const node = await PrivateNode.start({ name: 'foreign', plugins: PLUGINS, config });
  const version = await serverVersion(node.url);
  return { node, host, mqttPort, stompPort, version, isOld: version.startsWith('3.') };
}

// A hook of the whole run: it is at the top of a module.
after(async () => {
  const broker = await started?.catch(() => undefined);
  await broker?.node.stop();
});
