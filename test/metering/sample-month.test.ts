import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { costOf, PRICE_TABLES, type PriceTable } from '../../src/metering/costs.js';
import {
  loadSampleMonth,
  SAMPLE_MONTH,
  SAMPLE_NOW,
  type SampleMonth,
} from '../../src/metering/sample-month.js';
import { isBilled, tenantsAt } from '../../src/metering/tenants.js';
import { formatUsd } from '../../src/money.js';
import { PLANS } from '../../src/plans.js';
import { countsOf, type Embedded, openEmbedded } from '../support/embedded.js';

const [prices] = PRICE_TABLES as [PriceTable];
const progress: number[] = [];
let engine: Embedded;
let sample: SampleMonth;
beforeAll(async () => {
  engine = await openEmbedded();
  sample = await loadSampleMonth(engine.clickhouse, { onProgress: (loaded) => progress.push(loaded) });
});
afterAll(() => engine.close());

describe('loadSampleMonth(), a million events', () => {
  it('has exactly a million events, and tells how far it is', async () => {
    expect(await engine.rows('SELECT count() AS n FROM usage_events')).toEqual([{ n: 1_000_000 }]);
    expect([sample.loaded, sample.events, progress.at(-1)]).toEqual([true, 1_000_000, 1_000_000]);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
  });

  it.each([
    ['acme-corp', 28_450, 4_846_667, 353_333, '47.22999700'],
    ['beta-inc', 8_320, 1_583_333, 216_667, '15.67000300'],
    ['charlie-co', 52_100, 9_298_889, 201_111, '82.40999900'],
  ])('has %s as in the course', async (tenant, queries, tokensIn, tokensOut, cost) => {
    const totals = await engine.rows(`
      SELECT count() AS events, sum(queries) AS queries, sum(tokens_input) AS tokens_in,
        sum(tokens_output) AS tokens_out, toDecimalString(sum(cost_usd), 8) AS cost
      FROM usage_events FINAL WHERE tenant_id = '${tenant}'`);
    expect(totals).toEqual([{ events: queries, queries, tokens_in: tokensIn, tokens_out: tokensOut, cost }]);
  });

  it('has fifty tenants and more, the largest with a hundred thousand events and more', async () => {
    const sizes = await engine.rows<{ n: number }>(
      'SELECT count() AS n FROM usage_events GROUP BY tenant_id ORDER BY n DESC',
    );
    expect(sizes.length).toBeGreaterThanOrEqual(50);
    expect(sizes[0]?.n).toBeGreaterThanOrEqual(100_000);
  });

  it('gives each event an id of its own', async () => {
    expect(await engine.rows('SELECT uniqExact(event_id) AS n FROM usage_events')).toEqual([
      { n: 1_000_000 },
    ]);
  });

  it('says the same in events, hours and days, for every tenant', async () => {
    const differing = await engine.rows(`
      SELECT tenant_id FROM
      (
        SELECT 'e' AS source, tenant_id, sum(queries) AS q, sum(tokens_input) AS i, sum(cost_usd) AS c
        FROM usage_events GROUP BY tenant_id
        UNION ALL SELECT 'h', tenant_id, sum(queries), sum(tokens_input), sum(cost_usd) FROM usage_hourly GROUP BY tenant_id
        UNION ALL SELECT 'd', tenant_id, sum(queries), sum(tokens_input), sum(cost_usd) FROM usage_daily GROUP BY tenant_id
      )
      GROUP BY tenant_id HAVING count() != 3 OR uniqExact(q, i, c) != 1`);
    expect(differing).toEqual([]);
    const { events, hourly, daily } = await countsOf(engine);
    expect([hourly, daily]).toEqual([events, events]);
  });

  it('prices every event by its own tokens', async () => {
    const units = Object.keys(prices.models).map((model) => {
      const part = (some: object) =>
        costOf(prices, { model, queries: 0, tokensInput: 0, tokensOutput: 0, bytes: 0, ...some });
      return `model = '${model}', ${part({ queries: 1 })} + tokens_input * ${part({ tokensInput: 1 })} + tokens_output * ${part({ tokensOutput: 1 })}`;
    });
    expect(
      await engine.rows(`
        SELECT count() AS wrong FROM usage_events
        WHERE toInt64(cost_usd * 100000000) != multiIf(${units.join(', ')}, -1)`),
    ).toEqual([{ wrong: 0 }]);
  });

  it('agrees with costOf() in 200 of them', async () => {
    const rows = await engine.rows<{ model: string; i: number; o: number; cost: string }>(`
      SELECT model, tokens_input AS i, tokens_output AS o, toDecimalString(cost_usd, 8) AS cost
      FROM usage_events ORDER BY cityHash64(event_id) LIMIT 200`);
    const expected = rows.map(({ model, i, o }) =>
      formatUsd(costOf(prices, { model, queries: 1, tokensInput: i, tokensOutput: o, bytes: 0 })),
    );
    expect(rows.map(({ cost }) => cost)).toEqual(expected);
  });

  it('fills the month from its first to its last millisecond', async () => {
    expect(
      await engine.rows(`
        SELECT toUnixTimestamp64Milli(min(timestamp)) AS first, toUnixTimestamp64Milli(max(timestamp)) AS last
        FROM usage_events WHERE tenant_id = 'acme-corp'`),
    ).toEqual([{ first: Date.UTC(2025, 10, 1), last: Date.UTC(2025, 11, 1) - 1 }]);
    expect([SAMPLE_MONTH.name, SAMPLE_NOW.toISOString()]).toEqual(['2025-11', '2025-12-01T00:00:00.000Z']);
  });

  it('has at least one token of each kind in every event', async () => {
    expect(
      await engine.rows('SELECT count() AS n FROM usage_events WHERE tokens_input < 1 OR tokens_output < 1'),
    ).toEqual([{ n: 0 }]);
  });

  it('has one tenant on trial, without usage, who does not pay', async () => {
    const tenants = await tenantsAt(engine.clickhouse, SAMPLE_NOW);
    const trying = tenants.filter((tenant) => !isBilled(tenant, SAMPLE_NOW)).map(({ tenantId }) => tenantId);
    expect(trying).toEqual(['echo-trial']);
    expect(await engine.rows(`SELECT count() AS n FROM usage_events WHERE tenant_id = 'echo-trial'`)).toEqual(
      [{ n: 0 }],
    );
  });

  it('has one tenant above its hard quota of a day', async () => {
    const [day] = await engine.rows<{ queries: number }>(
      `SELECT sum(queries) AS queries FROM usage_daily WHERE tenant_id = 'foxtrot-io' GROUP BY day`,
    );
    expect(day?.queries).toBe(2_400);
    expect(PLANS.starter.dailyLimits.queries).toBe(2_000);
  });

  it('has one tenant that changes its plan in the middle of the month', async () => {
    expect(
      await engine.rows(`
        SELECT plan, toString(effective_from) AS since FROM tenant_quotas
        WHERE tenant_id = 'delta-labs' ORDER BY effective_from`),
    ).toEqual([
      { plan: 'starter', since: '2025-10-01 00:00:00.000' },
      { plan: 'pro', since: '2025-11-16 00:00:00.000' },
    ]);
  });

  it('changes nothing when it is loaded again', async () => {
    const before = await countsOf(engine);
    expect((await loadSampleMonth(engine.clickhouse)).loaded).toBe(false);
    expect(await countsOf(engine)).toEqual(before);
  });
});
