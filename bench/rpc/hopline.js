import { Bus, defineRequest, rabbitmq } from 'hopline';
import { handlers, Queue, Replies } from 'hopline/decorators';
import { REQUEST_TIMEOUT_MS, runRpc } from '../lib/rpc.js';

/** @param {string} key @returns {import('hopline').RequestDefinition<string, any, any, any, any>} */
const requestOf = (key) => defineRequest(key);

/** @param {import('../lib/setup.js').Setup} setup @param {import('hopline').HandlerDefinition[]} [own] */
async function startedBus({ prefix, url }, own = []) {
  const bus = new Bus({
    service: 'bench',
    prefix,
    transport: rabbitmq({ url }),
    handlers: own,
    operatorControl: false,
  });
  await bus.start();
  return bus;
}

/** A decorated class. Plain JavaScript has no decorators yet: they are called as the compiler would. @type {import('../lib/rpc.js').RpcPeer['respond']} */
async function respond(setup, answer) {
  const { queues, key, prefetch } = setup;
  class BenchResponder {
    handle(/** @type {any} */ payload) {
      return answer(payload);
    }
  }
  Replies(requestOf(key))(BenchResponder);
  Queue({ name: queues[0], type: 'classic', concurrency: prefetch, prefetch })(BenchResponder);
  const bus = await startedBus(setup, handlers([BenchResponder]));
  return () => bus.stop();
}

/** @type {import('../lib/rpc.js').RpcPeer['open']} */
async function open(setup) {
  const bus = await startedBus(setup);
  const request = requestOf(setup.key);
  return {
    ask: (payload) => bus.request(request, payload, { timeout: REQUEST_TIMEOUT_MS }),
    close: () => bus.stop(),
  };
}

await runRpc({ name: 'hopline', respond, open });
