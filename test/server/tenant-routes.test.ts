import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type App, type AppOptions, BODY_LIMIT } from '../../src/server/app.js';
import { addTenantRoutes } from '../../src/server/tenant-routes.js';
import { readLifecycleLog } from '../../src/tenants/lifecycle-log.js';
import { tenantLock } from '../../src/tenants/tenant-lock.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { testApp } from '../support/test-app.js';
import { failing, type TenantWorld, tenantWorld } from '../tenants/tenant-world.js';

let engine: Embedded;
beforeAll(async () => {
  engine = await openEmbedded();
});
afterAll(() => engine.close());

let world: TenantWorld;
let tenantId: string;
let app: App;
let count = 0;
const open = async (planType: 'starter' | 'pro' = 'starter') => {
  count += 1;
  tenantId = `tenant-${count}`;
  world = await tenantWorld(engine, { tenantId, planType });
  ({ app } = testApp({
    // Its name is its key here.
    keys: { holderOf: (key) => ({ tenantId: key, enabled: true }) },
    tenantRoutes: (to) => addTenantRoutes(to, { plan: world.parts, deletion: world.parts }),
  }));
};
beforeEach(() => open());

const headersOf = (more: Record<string, string> = {}) => ({
  'content-type': 'application/json',
  authorization: `Bearer ${tenantId}`,
  ...more,
});
const SOMEBODY_ELSE = { authorization: 'Bearer somebody-else' };
const post = async (body: string, { path = `/api/tenants/${tenantId}/plan`, headers = {} } = {}) =>
  app.request(path, { method: 'POST', headers: headersOf(headers), body });
const ask = async (plan: string, query = '') => {
  const path = `/api/tenants/${tenantId}/plan${query}`;
  const response = await post(JSON.stringify({ plan }), { path });
  return [response.status, await response.json()] as const;
};
const log = async () =>
  (await readLifecycleLog(engine.clickhouse, tenantId)).slice(3).map(({ event }) => event);

describe('POST /api/tenants/:id/plan', () => {
  const change = {
    kind: 'upgrade',
    plan: 'pro',
    holds_from: '2025-11-15T12:00:00.000Z',
    amount_usd: '37.33',
    lines: [
      { description: 'Unused time on Starter after 15 Nov 2025', amount_usd: '-15.47' },
      { description: 'Remaining time on Pro after 15 Nov 2025', amount_usd: '52.80' },
      // What was used under the old plan is billed by it.
      { description: '0 × Starter (Tier 1 at $0.00 / month)', amount_usd: '0.00' },
    ],
  };

  it('previews an upgrade with dry_run, and changes nothing', async () => {
    expect(await ask('pro', '?dry_run=true')).toEqual([
      200,
      { tenant_id: tenantId, state: 'active', version: 3, dry_run: true, change },
    ]);
    expect([await log(), await world.atTheGate()]).toEqual([[], 'starter']);
  });

  it('makes it', async () => {
    expect(await ask('pro')).toEqual([
      200,
      { tenant_id: tenantId, state: 'active', version: 5, dry_run: false, change },
    ]);
    expect(await world.atTheGate()).toBe('pro');
    expect(await ask('pro')).toMatchObject([200, { version: 5, change: { kind: 'none' } }]);
  });

  it('says from when a cheaper one holds', async () => {
    await open('pro');
    expect(await ask('starter')).toMatchObject([
      200,
      {
        state: 'active',
        change: { kind: 'downgrade', holds_from: '2025-12-01T00:00:00.000Z', amount_usd: '0.00' },
      },
    ]);
  });

  it.each(['', '?dry_run=true'])('refuses a plan that is too small for its use (%s)', async (query) => {
    await open('pro');
    const row = { tenant_id: tenantId, day: '2025-11-12', event_type: 'query', model: 'gpt-4o' };
    const sums = {
      events: 2_001,
      queries: 2_001,
      tokens_input: 0,
      tokens_output: 0,
      bytes: 0,
      cost_usd: '0',
    };
    await engine.clickhouse.insert({
      table: 'usage_daily',
      values: [{ ...row, ...sums }],
      format: 'JSONEachRow',
    });
    expect(await ask('starter', query)).toMatchObject([
      422,
      {
        title: 'Not possible',
        status: 422,
        day: '2025-11-12',
        used: { queries: 2_001 },
        limits: { queries: 2_000 },
      },
    ]);
    expect(await log()).toEqual([]);
  });

  it('refuses with the current state what that does not allow', async () => {
    await world.lifecycle.transition({ tenantId, event: 'suspend', by: 'dunning' });
    for (const query of ['', '?dry_run=true']) {
      expect(await ask('pro', query)).toMatchObject([
        409,
        {
          ...{ type: 'about:blank', title: 'Conflict', state: 'suspended', version: 4 },
          allowed: ['reactivate', 'cancel', 'delete'],
        },
      ]);
    }
  });

  it('makes one of many at once, and refuses the others with the state', async () => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => ask('pro')));
    const refused = asked.filter(([status]) => status === 409);
    expect([asked.filter(([status]) => status === 200).length, refused.length]).toEqual([1, 19]);
    expect(new Set(refused.map(([, body]) => (body as { state: string }).state))).toEqual(
      new Set(['upgrading']),
    );
    expect(await log()).toEqual(['upgrade', 'complete']);
  });

  it('is a failure of ours when Stripe is away, and leaves the tenant as it was', async () => {
    const mend = failing(world, /subscriptions/);
    expect((await ask('pro'))[0]).toBe(500);
    mend();
    expect([await world.state(), await world.atTheGate()]).toEqual(['active', 'starter']);
  });

  it('asks to come again where somebody else is at the tenant for long', async () => {
    const lock = tenantLock(engine.redis, { waitMs: 0 });
    const work = async () => new Response();
    const tenantRoutes: AppOptions['tenantRoutes'] = (to) =>
      void to.post('/api/tenants/:id/plan', () => lock(tenantId, work));
    ({ app } = testApp({ keys: { holderOf: (key) => ({ tenantId: key, enabled: true }) }, tenantRoutes }));
    const response = await lock(tenantId, () => post('{}'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await post('{}')).status).toBe(200);
  });

  it.each([
    ['another plan', 400, '{"plan":"free"}', {}],
    ['a further field', 400, '{"plan":"pro","price":1}', {}],
    ['half a body', 400, '{"plan":', {}],
    ['a list', 400, '[]', {}],
    ['text', 415, '{"plan":"pro"}', { 'content-type': 'text/plain' }],
    ['much', 413, `{"plan":"pro","x":"${'x'.repeat(BODY_LIMIT)}"}`, {}],
    ['the key of another tenant', 403, '{"plan":"pro"}', SOMEBODY_ELSE],
  ])('answers to %s with a %i, and changes nothing', async (_, status, body, headers) => {
    const response = await post(body, { headers });
    const type = response.headers.get('content-type');
    expect([response.status, type]).toEqual([status, 'application/problem+json']);
    expect(await log()).toEqual([]);
  });

  it('refuses a dry_run that is neither true nor false', async () => {
    expect((await ask('pro', '?dry_run=1'))[0]).toBe(400);
    expect(await log()).toEqual([]);
  });
});

describe('DELETE /api/tenants/:id', () => {
  const remove = async (headers = {}) => {
    const response = await app.request(`/api/tenants/${tenantId}`, {
      method: 'DELETE',
      headers: headersOf(headers),
    });
    return [response.status, await response.json()] as const;
  };

  it('deletes softly, and says when the purge comes; again, the same', async () => {
    const body = { tenant_id: tenantId, state: 'deleted', purge_at: '2025-12-15T12:00:00.000Z' };
    expect(await remove()).toEqual([202, body]);
    expect([await world.atTheGate(), world.keys.size]).toEqual(['ended', 0]);
    expect(await remove()).toEqual([202, body]);
    expect(await log()).toEqual(['delete']);
  });

  it('is for the tenant’s own key, and refused while a change is in progress', async () => {
    expect((await remove(SOMEBODY_ELSE))[0]).toBe(403);
    await world.lifecycle.transition({ tenantId, event: 'upgrade', plan: 'pro', by: 'test' });
    expect(await remove()).toMatchObject([409, { state: 'upgrading' }]);
    expect(await log()).toEqual(['upgrade']);
  });
});
