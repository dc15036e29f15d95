import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { problemOf, testApp } from '../support/test-app.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
  await loadSampleMonth(engine.clickhouse, { events: 105_000 });
});
afterAll(() => engine.close());

const appWithStore = () =>
  testApp({
    clickhouse: { mode: 'embedded', client: engine.clickhouse, address: '' },
    gate: redisQuotaGate(engine.redis),
  });
const november = '?start_date=2025-11-01&end_date=2025-11-30';

describe('GET /api/tenants/{id}/usage', () => {
  it('has exactly the tenant’s days and totals', async () => {
    const response = await appWithStore().get(`/api/tenants/acme-corp/usage${november}`);
    const { days, ...rest } = (await response.json()) as { days: { date: string }[] };
    expect(rest).toEqual({
      tenant_id: 'acme-corp',
      start_date: '2025-11-01',
      end_date: '2025-11-30',
      totals: {
        queries: 28_450,
        tokens_input: 4_846_667,
        tokens_output: 353_333,
        bytes: 0,
        cost_usd: '47.22999700',
      },
    });
    expect([days.length, days[0]?.date, days.at(-1)?.date]).toEqual([30, '2025-11-01', '2025-11-30']);
  });

  it.each(['beta-inc', 'nobody', 'acme-corp%2f..%2fbeta-inc', 'ACME-CORP'])(
    'refuses %s to acme-corp',
    async (id) => {
      const [status, detail] = await problemOf(
        await appWithStore().get(`/api/tenants/${id}/usage${november}`),
      );
      expect([status, detail]).toEqual([403, 'A key opens its own tenant only']);
    },
  );

  it('refuses a request without a key, and does not say whether the tenant is there', async () => {
    const { get } = appWithStore();
    const answers = [
      await get('/api/tenants/acme-corp/usage', ''),
      await get('/api/tenants/nobody/usage', ''),
    ];
    expect(await Promise.all(answers.map(problemOf))).toEqual([
      [401, 'Send a key of a tenant: Authorization: Bearer <key>'],
      [401, 'Send a key of a tenant: Authorization: Bearer <key>'],
    ]);
  });

  it.each([
    ['', 'Cannot read day: need the form 2025-11-30, current value is ""'],
    ['?start_date=2025-11-01', 'Cannot read day: need the form 2025-11-30, current value is ""'],
    [
      '?start_date=2025-11-31&end_date=2025-11-30',
      'Cannot read day: need the form 2025-11-30, current value is "2025-11-31"',
    ],
    [
      '?start_date=2025-11-01&end_date=30.11.2025',
      'Cannot read day: need the form 2025-11-30, current value is "30.11.2025"',
    ],
    [
      '?start_date=2025-11-30&end_date=2025-11-01',
      'Cannot read usage: the end 2025-11-01 lies before the start 2025-11-30',
    ],
  ])('refuses the dates %j', async (query, sentence) => {
    expect(await problemOf(await appWithStore().get(`/api/tenants/acme-corp/usage${query}`))).toEqual([
      400,
      sentence,
    ]);
  });

  it('is 503 while ClickHouse is off, with the reason', async () => {
    expect(await problemOf(await testApp().get(`/api/tenants/acme-corp/usage${november}`))).toEqual([
      503,
      'Usage is not available: OFFLINE=true',
    ]);
  });

  it('tells nobody which statement failed', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    await engine.command('RENAME TABLE usage_daily TO away');
    const response = await appWithStore().get(`/api/tenants/acme-corp/usage${november}`);
    await engine.command('RENAME TABLE away TO usage_daily');
    expect(await problemOf(response)).toEqual([500, 'The request failed for a reason of ours']);
    log.mockRestore();
  });
});

describe('GET /health', () => {
  const tracker = { buffered: 5, fallback_bytes: 300 };

  it('is ok with all services, and needs no key', async () => {
    const response = await appWithStore().get('/health', '');
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ok', clickhouse: 'embedded', quota_gate: 'redis', tracker, warnings: [] },
    ]);
  });

  it('is ok with services that are off on purpose', async () => {
    const response = await testApp().get('/health', '');
    expect([response.status, await response.json()]).toEqual([
      200,
      { status: 'ok', clickhouse: 'off', quota_gate: 'in-process', tracker, warnings: [] },
    ]);
  });

  it('is degraded where the fallback file cannot be written, with the reason', async () => {
    const stats = () => ({ buffered: 5, fallbackBytes: 300, diskError: 'ENOSPC: no space left' });
    const response = await testApp({
      tracker: { track: () => Promise.reject() as never, stats },
    }).get('/health', '');
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { status: 'degraded', warnings: ['the fallback file cannot be written: ENOSPC: no space left'] },
    ]);
  });

  it('is degraded where ClickHouse was configured and refuses, with the reason', async () => {
    const skip = 'CLICKHOUSE_URL: the connection was refused at 127.0.0.1:1';
    const response = await testApp({ clickhouse: { mode: 'off', skip } }).get('/health', '');
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { status: 'degraded', clickhouse: 'off', warnings: [skip] },
    ]);
  });
});
