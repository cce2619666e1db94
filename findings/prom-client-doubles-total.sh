#!/usr/bin/env bash
# prom-client's AggregatorRegistry.aggregate() writes a counter's `_total` twice in the OpenMetrics format: `a_total_total`, a name that no query
# knows, under the type of `a_total`. In a registry that is not aggregated, and in the text format, it is `a_total`. Exemplars are lost on
# the way as well.
#
# Seen: prom-client 15.1.3 (npm), Node.js 20.20. Needs: node, npm.
. "$(dirname "$0")/support/private-node.sh"

npm_packages prom-client@15.1.3
cat >"$DIR/program.cjs" <<'JS'
const { AggregatorRegistry, Counter, Registry } = require('prom-client');
(async () => {
  const [format, isAggregated] = [process.argv[2], process.argv[3] === 'aggregated'];
  const own = new Registry();
  new Counter({ name: 'a_total', help: 'a', registers: [own] }).inc();
  const registry = isAggregated ? AggregatorRegistry.aggregate([await own.getMetricsAsJSON()]) : own;
  if (format === 'OpenMetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  console.log((await registry.metrics()).split('\n').find((line) => line.startsWith('a')));
})();
JS
lines() { (cd "$DIR" && node program.cjs "$@"); }

expect 'text' 'a_total 1' "$(lines text alone)"
expect 'OpenMetrics' 'a_total 1' "$(lines OpenMetrics alone)"
expect 'text, aggregated' 'a_total 1' "$(lines text aggregated)"
expect 'OpenMetrics, aggregated' 'a_total_total 1' "$(lines OpenMetrics aggregated)"
