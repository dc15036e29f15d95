import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDashboard } from '../../src/dashboard/load-dashboard.js';
import { makeCostInvoice } from '../../src/invoices/cost-invoice.js';
import { loadSampleMonth } from '../../src/metering/sample-month.js';
import { limitsOf } from '../../src/plans.js';
import { redisQuotaGate } from '../../src/quotas/redis-quota-gate.js';
import { requestOf } from '../support/quota-request.js';
import { HAS_SERVERS, type OpenedServer, openServer } from '../support/server.js';

describe.runIf(HAS_SERVERS)('the servers of CLICKHOUSE_URL and REDIS_URL', () => {
  let server: OpenedServer;
  beforeAll(async () => {
    server = await openServer();
    await loadSampleMonth(server.clickhouse, { events: 105_000 });
  });
  afterAll(() => server.close());

  it('are what is used', () => {
    const { clickhouse, redis } = server.services;
    expect([clickhouse.mode, redis.mode]).toEqual(['configured', 'configured']);
  });

  it('make the invoice that the embedded engine makes', async () => {
    const { invoice } = await makeCostInvoice(server.clickhouse, { tenantId: 'acme-corp', month: '2025-11' });
    expect(invoice.total_cost_usd).toBe('47.22999700');
  });

  it('fill every panel', async () => {
    const now = new Date('2025-11-30T23:59:59.999Z');
    const request = { tenantId: 'acme-corp', now, limits: limitsOf('starter') };
    const loaded = await loadDashboard(server.clickhouse, request);
    expect(loaded.map(({ rows }) => rows.length)).toEqual([24, 60, 24, 1, 30]);
  });

  it('let ten of a crowd through a quota of ten', async () => {
    const { redis } = server.services;
    if (redis.mode === 'off') throw new Error(redis.skip);
    const gate = redisQuotaGate(redis.client);
    const request = requestOf({ tenantId: `crowd-${process.pid}` });
    const decisions = await Promise.all(Array.from({ length: 50 }, () => gate.reserve(request)));
    await gate.forget(request);
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(10);
  });
});
