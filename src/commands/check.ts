/** `npm run check -- m12.1-m12.2`: the readiness checks in a terminal. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Report } from '../checks/check.js';
import { checkMeteringToBilling } from '../checks/metering-to-billing.js';
import { readConfig } from '../config.js';
import { loadSampleMonth, SAMPLE_NOW } from '../metering/sample-month.js';
import { createTables } from '../metering/tables.js';
import { printReport } from '../notebook/check-lines.js';
import { inProcessQuotaGate } from '../quotas/in-process-quota-gate.js';
import { redisQuotaGate } from '../quotas/redis-quota-gate.js';
import { withQuotaTrial } from '../server/quota-trial.js';
import { describeServices } from '../services/describe-services.js';
import { openServices } from '../services/open-services.js';
import { runCommand } from './run-command.js';

const HELP = `npm run check -- BRIDGE [--json] [--now INSTANT] [--workspace NAME]

Runs the readiness checks of a bridge: m12.1-m12.2.
Exit 1 if one fails, 0 if all pass or skip.

  --json            one JSON object with evidence and measured seconds
  --now INSTANT     the clock of the checks, e.g. 2025-12-01T00:00:00Z (default: the sample's,
                    or the real one where CLICKHOUSE_URL or CLICKHOUSE_HOST names a server)
  --workspace NAME  where embedded services keep their data (default: check)
`;

await runCommand(HELP, async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      now: { type: 'string' },
      workspace: { type: 'string', default: 'check' },
    },
  });
  const [bridge, ...rest] = positionals;
  if (bridge !== 'm12.1-m12.2' || rest.length > 0) {
    throw new RangeError(`Cannot check ${positionals.join(' ') || 'nothing'}: the bridges are m12.1-m12.2`);
  }
  const { services, report } = await check(
    values.workspace,
    values.now === undefined ? undefined : instantOf(values.now),
  );
  if (values.json) console.log(JSON.stringify({ ...report, services }, undefined, 2));
  else print(report, services);
  return report.results.some(({ status }) => status === 'fail') ? 1 : 0;
});

async function check(workspace: string, now?: Date): Promise<{ report: Report; services: ServiceRow[] }> {
  const config = readConfig();
  const services = await openServices({ workspace, config });
  try {
    const { clickhouse, redis } = services;
    if (clickhouse.mode !== 'off') await createTables(clickhouse.client);
    // A server by its address is somebody's own data; the sample is for the engine in the process.
    if (clickhouse.mode === 'embedded')
      await loadSampleMonth(clickhouse.client, { events: config.sampleEvents });
    const gate = redis.mode === 'off' ? inProcessQuotaGate() : redisQuotaGate(redis.client);
    const report = await withQuotaTrial(gate, (quotaTrial) =>
      checkMeteringToBilling({
        clickhouse,
        quotaTrial,
        now: now ?? (clickhouse.mode === 'configured' ? new Date() : SAMPLE_NOW),
      }),
    );
    return { report, services: describeServices(services) };
  } finally {
    await services.close();
  }
}

type ServiceRow = ReturnType<typeof describeServices>[number];

function print(report: Report, services: readonly ServiceRow[]): void {
  for (const { service, mode, reason } of services)
    console.log(`${service}: ${mode}${reason ? ` (${reason})` : ''}`);
  printReport(report);
  for (const { title, status, evidence, advice, expected, seconds } of report.results) {
    console.log(`\n${title} (${status}, ${seconds.toFixed(3)} s)`);
    for (const line of evidence) console.log(`  ${line}`);
    for (const line of expected) console.log(`  expected: ${line}`);
    if (advice) console.log(`  → ${advice}`);
  }
}

function instantOf(text: string): Date {
  // A day of the calendar, or a time with its zone: of 2025-02-30 Date would make 2 March.
  const instant = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);
  if (!instant.safeParse(text).success)
    throw new RangeError(`Cannot read --now: ${JSON.stringify(text)} is no instant`);
  return new Date(text);
}
