import { treeCpuMsOf } from '../lib/process-cpu.js';
import { ROWS } from './rows.js';

/** One case of a row, in this process: `run-case.js ROW CASE SETUP`. Prints a line of JSON with its figures. */

const [id, name, json] = process.argv.slice(2);
const row = ROWS.find((each) => each.id === id);
const open = row?.cases[name ?? ''];
if (!open) throw new Error(`no case '${name}' of '${id}'`);

/** @type {import('./rows.js').Setup} */
const setup = JSON.parse(json ?? '{}');
const servers = Object.entries(setup.servers).flatMap(([server, { pid }]) => (pid ? [{ server, pid }] : []));
const serverMs = () => servers.map(({ pid }) => treeCpuMsOf(pid));

const { run, close } = await open(setup);
const [cpuBefore, serversBefore, from] = [process.cpuUsage(), serverMs(), performance.now()];
await run();
const seconds = (performance.now() - from) / 1_000;
const serversAfter = serverMs();
const { user, system } = process.cpuUsage(cpuBefore);
await close();

const each = (/** @type {number} */ ms) => Number(((ms * 1_000) / setup.count).toFixed(1));
const spent = servers.map(({ server }, index) => [server, each(serversAfter[index] - serversBefore[index])]);
const figures = {
  perSecond: Math.round(setup.count / seconds),
  client: each((user + system) / 1_000),
  ...Object.fromEntries(spent),
  rss: Math.round(process.resourceUsage().maxRSS / 1_024),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
// Some clients leave a timer or a socket behind.
process.exit(0);
