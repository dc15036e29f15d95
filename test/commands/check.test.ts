import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';
import type { ProgramResult } from '../support/run-program.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
afterAll(() => copy.remove());

const check = (args: string[] = [], env = {}) =>
  copy.run('.build/commands/check.js', ['m12.1-m12.2', ...args], env);
/** The command is red, with these lines for the one check that fails. */
const expectRed = (
  { code, printed }: { code: number | null; printed: string },
  title: string,
  finding: string | RegExp,
  advice: string,
) => {
  expect(printed).toMatch(finding);
  expect(printed).toContain(`✗ FAIL ${title}`);
  expect(printed).toContain('3/4 checks ready, 1 failed');
  expect(printed).toContain(`  → Mend M12.1 before going on: ${advice}`);
  expect(code).toBe(1);
};

describe('npm run check -- m12.1-m12.2', () => {
  it('is green on the sample', async () => {
    const { code, printed } = await check();
    expect(printed).toContain('\n4/4 checks ready\n');
    expect(printed).toMatch(
      /^✓ ClickHouse data accuracy: 52 of 52 active tenants have usage in the last 30 days$/m,
    );
    expect(printed).toMatch(/^✓ Immutable cost storage: 52 invoices of 2025-11 made twice/m);
    expect(printed).toMatch(/^✓ Dashboard performance: Dashboard loaded in under 1\.0 s/m);
    expect(printed).toMatch(/^✓ Quota enforcement: Request 11: Blocked with 429/m);
    expect(code).toBe(0);
  });

  it('gives one JSON object with --json', async () => {
    const { code, printed } = await check(['--json']);
    const report = JSON.parse(printed) as { bridge: string; results: { status: string; seconds: number }[] };
    expect([report.bridge, ...report.results.map(({ status }) => status)]).toEqual([
      'm12.1-m12.2',
      'pass',
      'pass',
      'pass',
      'pass',
    ]);
    expect([code, report.results.every(({ seconds }) => seconds > 0)]).toEqual([0, true]);
  });

  it('is red when a cost invoice is priced by today’s changed prices', async () => {
    const reprice: [string, string][] = [
      [
        "import { seal } from './seal.js';",
        "import { seal } from './seal.js';\nimport { costOf, PRICE_TABLES } from '../metering/costs.js';",
      ],
      [
        'const cost_usd = formatUsd(parseUsd(line.cost_usd));',
        'const cost_usd = formatUsd(costOf(PRICE_TABLES[0], { model: line.model, queries: line.queries, tokensInput: line.tokens_input, tokensOutput: line.tokens_output, bytes: line.bytes }));',
      ],
    ];
    const dearer: [string, string][] = [["parseUsd('0.0025')", "parseUsd('0.0030')"]];
    const result = await copy.changed('invoices/cost-invoice.js', reprice, () =>
      copy.changed('metering/costs.js', dearer, () => check()),
    );
    const finding = /acme-corp: the invoice says \$50\.13799720, the daily rollup \$47\.22999700/;
    expectRed(
      result,
      'Immutable cost storage',
      finding,
      'store the cost in the event and sum what is stored',
    );
  });

  it('is red when a cost invoice is priced anew, even at unchanged prices', async () => {
    const reprice: [string, string][] = [
      [
        "import { seal } from './seal.js';",
        "import { seal } from './seal.js';\nimport { costOf, PRICE_TABLES, priceTableAt } from '../metering/costs.js';",
      ],
      [
        'const cost_usd = formatUsd(parseUsd(line.cost_usd));',
        'const cost_usd = formatUsd(costOf(priceTableAt(PRICE_TABLES, new Date()), { model: line.model, queries: line.queries, tokensInput: line.tokens_input, tokensOutput: line.tokens_output, bytes: line.bytes }));',
      ],
    ];
    const result = await copy.changed('invoices/cost-invoice.js', reprice, () => check());
    expectRed(
      result,
      'Immutable cost storage',
      /an event stored at \$0\.12345678 is invoiced at \$0\.00165400: it was priced anew/,
      'store the cost in the event and sum what is stored',
    );
  });

  it('is red when a cost invoice is priced by the prices that it is handed', async () => {
    const reprice: [string, string][] = [
      [
        '{ tenantIds: usual, month, since: month }',
        '{ tenantIds: usual, month, since: month, priceTables: arguments[1].priceTables }',
      ],
      [
        'const cost_usd = formatUsd(parseUsd(line.cost_usd));',
        'const cost_usd = formatUsd(BigInt(line.queries) * arguments[1].priceTables[0].basePerQuery);',
      ],
    ];
    const result = await copy.changed('invoices/cost-invoice.js', reprice, () => check());
    const finding = /acme-corp: \$28\.45, hash [0-9a-f]{8}; after a price change \$56\.90, hash [0-9a-f]{8}/;
    expectRed(
      result,
      'Immutable cost storage',
      finding,
      'store the cost in the event and sum what is stored',
    );
  });

  it('is red when a panel reads raw events', async () => {
    const raw: [string, string][] = [
      [
        'FROM usage_hourly\n      WHERE tenant_id = {tenantId:String}\n        AND hour > $',
        "FROM (SELECT *, toStartOfHour(timestamp, 'UTC') AS hour FROM usage_events) AS usage_hourly\n      WHERE tenant_id = {tenantId:String}\n        AND hour > $",
      ],
    ];
    const result = await copy.changed('dashboard/panels.js', raw, () => check());
    expectRed(
      result,
      'Dashboard performance',
      'panel queries-per-hour reads usage_events, not a rollup',
      'let every panel read usage_hourly or usage_daily',
    );
  });

  it('is red when the gate looks first and counts in a second call', async () => {
    const twoSteps: [string, string][] = [
      ['if more_queries > 0', "if ARGV[8] ~= 'count' and more_queries > 0"],
      ['elseif more_tokens > 0', "elseif ARGV[8] ~= 'count' and more_tokens > 0"],
      ['else\n  queries, tokens =', "elseif ARGV[8] == 'count' then\n  queries, tokens ="],
      [
        'const [refused, queries = 0, tokens = 0] = answer;',
        `if (answer[0] === 0) await redis.reserveQuota(1, ...asked, 0, 0, 'count');
            const [refused, queries = 0, tokens = 0] = answer;`,
      ],
    ];
    const result = await copy.changed('quotas/redis-quota-gate.js', twoSteps, () => check());
    expectRed(
      result,
      'Quota enforcement',
      'of 40 requests at once more than 10 passed',
      'decide and count in one step',
    );
  });

  it('is red when an active tenant’s rows were deleted between two runs', async () => {
    writeFileSync(
      join(copy.folder, 'delete.mjs'),
      `import { deleteUsage, openServices } from 'meterbridge';
       const services = await openServices({ workspace: 'check' });
       await deleteUsage(services.clickhouse.client, { tenantId: 'beta-inc' });
       await services.close();`,
    );
    expect(await copy.run('delete.mjs')).toEqual({ code: 0, printed: '' });
    const finding = 'beta-inc is active and has no usage in the last 30 days';
    expectRed(
      await check(),
      'ClickHouse data accuracy',
      finding,
      'find out why these tenants have no events',
    );
  });

  it('skips what is off with OFFLINE=true, and is no failure', async () => {
    const { code, printed } = await check([], { OFFLINE: 'true' });
    expect(printed).toContain('⚠️  Skipping Dashboard performance (OFFLINE=true)');
    expect(printed).toContain('  expected: tenant_123 | 1,450 events | $127.35');
    expect(printed).toContain('\n1/4 checks ready, 3 skipped\n');
    expect(code).toBe(0);
  });
});

describe('npm run check, refused', () => {
  const REFUSED: [args: string[], env: Record<string, string>, sentence: string][] = [
    [['m9'], {}, 'Cannot check m9: the bridges are m12.1-m12.2, m12.4-m13.1\n'],
    [[], {}, 'Cannot check nothing: the bridges are m12.1-m12.2, m12.4-m13.1\n'],
    [
      ['m12.1-m12.2', 'more'],
      {},
      'Cannot check m12.1-m12.2 more: the bridges are m12.1-m12.2, m12.4-m13.1\n',
    ],
    [['m12.1-m12.2', '--now', 'soon'], {}, 'Cannot read --now: "soon" is no instant\n'],
    [['m12.1-m12.2', '--now', '2025-02-30'], {}, 'Cannot read --now: "2025-02-30" is no instant\n'],
    [['m12.1-m12.2', '--now', '12'], {}, 'Cannot read --now: "12" is no instant\n'],
    [['m12.4-m13.1', '--now', '1969-12-31'], {}, 'Cannot use --now: 1969-12-31 is before 1971\n'],
    [
      ['m12.1-m12.2', '--now', '2025-12-01T00:00:00'],
      {},
      'Cannot read --now: "2025-12-01T00:00:00" is no instant\n',
    ],
    [
      ['m12.1-m12.2'],
      { MB_EVENTS: '5' },
      'Cannot make the sample month: MB_EVENTS must be a whole number of at least 105000, current value is 5\n',
    ],
    [
      ['m12.1-m12.2'],
      { OFFLINE: 'perhaps' },
      'Cannot use OFFLINE: need true or false, current value is "perhaps"\n',
    ],
    [
      ['m12.1-m12.2', '--workspace', '../x'],
      {},
      'Cannot open workspace: its name must be small letters, digits and dashes, current value is "../x"\n',
    ],
  ];
  const OTHERS = [{ args: ['m12.1-m12.2', '--fast'] }, { args: ['--help'] }];
  let results: ProgramResult[];
  beforeAll(async () => {
    const starts = [...OTHERS, ...REFUSED.map(([args, env]) => ({ args, env }))];
    results = await copy.runEach('.build/commands/check.js', starts);
  });

  it('ends with 2 and one sentence for an option that it does not know', () => {
    const { code, printed } = results[0] as ProgramResult;
    expect([code, printed]).toEqual([2, expect.stringMatching(/^Unknown option '--fast'[^\n]*\n$/)]);
  });

  it('says what it can do', () => {
    const { code, printed } = results[1] as ProgramResult;
    expect([code, printed.split('\n')[0]]).toEqual([
      0,
      'npm run check -- BRIDGE [--json] [--now INSTANT] [--workspace NAME]',
    ]);
  });

  it.each(REFUSED.map((given, index) => [...given, index + OTHERS.length] as const))(
    'ends with 2 and one sentence for %j %o',
    (_args, _env, printed, index) => {
      expect(results[index]).toEqual({ code: 2, printed });
    },
  );
});

describe('npm run check -- m12.4-m13.1', () => {
  const bridge = (env = {}) => copy.run('.build/commands/check.js', ['m12.4-m13.1'], env);

  it('is green', { timeout: 120_000 }, async () => {
    const { code, printed } = await bridge();
    expect(printed).toContain('\n4/4 checks ready\n');
    expect(printed).toMatch(
      /^✓ Usage metering: ClickHouse answers; 20 and 10 queries of two tenants at once/m,
    );
    expect(printed).toMatch(
      /^✓ Stripe billing: 10,450 queries at the local Stripe: events = rollup = meter/m,
    );
    expect(printed).toMatch(
      /^✓ Self-service onboarding: signup, payment, provisioning: active in under 60 s/m,
    );
    expect(printed).toMatch(/^✓ Lifecycle state machine: 26 listed transitions made, 143 others refused/m);
    expect(code).toBe(0);
  });

  it('signs up where ONBOARDING_API_URL says; the rest is green again: a run leaves nothing in the way', {
    timeout: 120_000,
  }, async () => {
    const { code, printed } = await bridge({ ONBOARDING_API_URL: 'http://127.0.0.1:1' });
    expect(printed).toMatch(/^✗ FAIL Self-service onboarding: /m);
    expect(printed).toContain('\n3/4 checks ready, 1 failed\n');
    expect(printed).toContain('  → Mend M12.3 before going on: GET /api/tenants/{id} names the step');
    expect(code).toBe(1);
  });

  it('skips what is off with OFFLINE=true, and is no failure', async () => {
    const { code, printed } = await bridge({ OFFLINE: 'true', ONBOARDING_API_URL: 'http://127.0.0.1:1' });
    expect(printed).toContain('⚠️  Skipping Self-service onboarding (OFFLINE=true)');
    expect(printed).toContain('\n0/4 checks ready, 4 skipped\n');
    expect(code).toBe(0);
  });
});
