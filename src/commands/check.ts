/** `npm run check -- BRIDGE`: the readiness checks in a terminal. */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Report } from '../checks/check.js';
import { checkMeteringToBilling } from '../checks/metering-to-billing.js';
import { apart, onboardingService, readConfig } from '../config.js';
import { loadSampleMonth, SAMPLE_NOW } from '../metering/sample-month.js';
import { createTables } from '../metering/tables.js';
import { printReport } from '../notebook/check-lines.js';
import { inProcessQuotaGate } from '../quotas/in-process-quota-gate.js';
import { redisQuotaGate } from '../quotas/redis-quota-gate.js';
import { withQuotaTrial } from '../server/quota-trial.js';
import { describeServices, serviceLine } from '../services/describe-services.js';
import { openServices } from '../services/open-services.js';
import { runCommand } from './run-command.js';

const HELP = `npm run check -- BRIDGE [--json] [--now INSTANT] [--workspace NAME]

Runs the readiness checks of a bridge:
  m12.1-m12.2  is the metering right enough to bill from
  m12.4-m13.1  is the whole service one system: a server, its workers, a month at Stripe
Exit 1 if one fails, 0 if all pass or skip.

  --json            one JSON object with evidence and measured seconds
  --now INSTANT     the clock of the checks, e.g. 2025-12-01T00:00:00Z (default: the sample's; for m12.1-m12.2
                    the real one where CLICKHOUSE_URL or CLICKHOUSE_HOST names a server)
  --workspace NAME  where embedded services keep their data (default: check)

The checks of m12.4-m13.1 work apart from all else: in an emptied workspace, a ClickHouse database of their own
(CLICKHOUSE_DB with _readiness) and a private Redis.
`;

const BRIDGES: Readonly<Record<string, (workspace: string, now?: Date) => Promise<Checked>>> = {
  'm12.1-m12.2': meteringToBilling,
  'm12.4-m13.1': lifecycleToIntegration,
};

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
  const [bridge = '', ...rest] = positionals;
  const check = BRIDGES[bridge];
  if (!check || rest.length > 0) {
    const names = Object.keys(BRIDGES).join(', ');
    throw new RangeError(`Cannot check ${positionals.join(' ') || 'nothing'}: the bridges are ${names}`);
  }
  const { services, report } = await check(
    values.workspace,
    values.now === undefined ? undefined : instantOf(values.now),
  );
  if (values.json) console.log(JSON.stringify({ ...report, services }, undefined, 2));
  else print(report, services);
  return report.results.some(({ status }) => status === 'fail') ? 1 : 0;
});

interface Checked {
  readonly report: Report;
  readonly services: ServiceRow[];
}

async function meteringToBilling(workspace: string, now?: Date): Promise<Checked> {
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

async function lifecycleToIntegration(name: string, now: Date = SAMPLE_NOW): Promise<Checked> {
  // Loaded here, not above: the workers and Stripe's SDK, which the other bridge does without.
  const { checkLifecycleToIntegration } = await import('../checks/lifecycle-to-integration.js');
  const { openPlatform } = await import('../server/platform.js');
  const config = readConfig();
  // Not the workspace of the other bridge: that one keeps its month.
  const workspace = `${name}-readiness`;
  const services = await openServices({ workspace, config: apart(config), reset: true });
  try {
    const { service: platform, close } = await openPlatform(services, { start: now });
    const onboarding = onboardingService(config);
    const report = await checkLifecycleToIntegration({ platform, onboarding }).finally(close);
    return { report, services: describeServices(services) };
  } finally {
    await services.close();
  }
}

type ServiceRow = ReturnType<typeof describeServices>[number];

function print(report: Report, services: readonly ServiceRow[]): void {
  for (const service of services) console.log(serviceLine(service));
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
  const now = new Date(text);
  // The checks look a month back, and neither engine has a time before 1970.
  if (now.getUTCFullYear() < 1971) throw new RangeError(`Cannot use --now: ${text} is before 1971`);
  return now;
}
