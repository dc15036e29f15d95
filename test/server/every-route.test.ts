import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BODY_LIMIT, WEBHOOK_LIMIT } from '../../src/server/app.js';
import { newApiKey } from '../../src/tenants/api-keys.js';
import { type Embedded, openEmbedded } from '../support/embedded.js';
import { isActive, type OnboardingBench, onboardingBench, signupOf } from '../support/onboarding.js';
import { problemOf } from '../support/test-app.js';

/** What a route is asked wrongly for, and the status of each refusal; absent where it cannot be wrong. */
interface Row {
  /** A right request, that a wrong one differs from in one thing. */
  readonly path: string;
  readonly body?: string;
  readonly right: number;
  /** Without a key. */
  readonly missing: number;
  readonly wrong: number;
  readonly revoked: number;
  /** With the key of another tenant. */
  readonly others?: number;
  readonly malformed?: number;
  readonly wrongType?: number;
  readonly oversized?: number;
}

const key = { missing: 401, wrong: 401, revoked: 401 };
/** Whoever asks: no key is looked at. */
const open = (right: number) => ({ right, missing: right, wrong: right, revoked: right, others: right });
const json = { malformed: 400, wrongType: 415, oversized: 413 };
const month = '?start_date=2025-11-01&end_date=2025-11-30';

/** Every route of the application: one without a row here fails the first test. */
const ROUTES: Readonly<Record<string, Row>> = {
  'GET /health': { path: '/health', ...open(200) },
  'GET /metrics': { path: '/metrics', ...open(200) },
  // Stripe's signature is its key: webhook-route.test.ts tries a thousand wrong ones.
  'POST /webhooks/stripe': {
    path: '/webhooks/stripe',
    body: '{}',
    ...open(400),
    malformed: 400,
    oversized: 413,
  },
  // A tenant's own key may ask a query, and no body names a tenant.
  'POST /query': { path: '/query', body: '{"question":"Why?"}', right: 200, ...key, ...json },
  // Without a key it is another signup with the same e-mail.
  'POST /signup': {
    path: '/signup',
    body: JSON.stringify(signupOf('Acme Corp')),
    ...{ right: 409, ...key, missing: 409, others: 403, ...json },
  },
  'GET /api/tenants/:id': { path: '/api/tenants/acme-corp', right: 200, ...key, others: 403 },
  'GET /api/tenants/:id/usage': {
    path: `/api/tenants/acme-corp/usage${month}`,
    ...{ right: 200, ...key, others: 403 },
  },
  'POST /api/tenants/:id/plan': {
    path: '/api/tenants/acme-corp/plan?dry_run=true',
    body: '{"plan":"pro"}',
    ...{ right: 200, ...key, others: 403, ...json },
  },
  // The last one: afterwards the tenant is gone.
  'DELETE /api/tenants/:id': { path: '/api/tenants/acme-corp', right: 202, ...key, others: 403 },
};

let engine: Embedded;
let bench: OnboardingBench;
let keys: { own: string; others: string; revoked: string };
beforeAll(async () => {
  engine = await openEmbedded();
  bench = await onboardingBench(engine, { app: { metrics: async () => 'up 1' } });
  const [own, others] = [await bench.signUp(signupOf('Acme Corp')), await bench.signUp(signupOf('Beta Inc'))];
  await Promise.all([own, others].map((answer) => bench.reaches(answer, isActive)));
  const revoked = (await bench.signUp(signupOf('Gone Ltd'))).api_key;
  await bench.reaches({ status_url: '/api/tenants/gone-ltd', api_key: revoked }, isActive);
  await bench.keys.revoke('gone-ltd');
  keys = { own: own.api_key, others: others.api_key, revoked };
  await bench.queue.settled();
});
afterAll(async () => {
  await bench.close();
  await engine.close();
});

/** All that a request could have changed. */
async function everything(): Promise<unknown> {
  await bench.lifecycle.moveLog();
  const tables = ['tenant_profiles', 'api_keys', 'lifecycle_log', 'tenant_quotas', 'tenant_ledger'];
  const stored = tables.map((table) => engine.rows(`SELECT * FROM ${table} FINAL ORDER BY ALL`));
  const gate = (engine.redis as unknown as { keys(pattern: string): Promise<string[]> }).keys('*quota*');
  const { stripe, tracked, told } = bench;
  const events = (await stripe.events.list({ limit: 100 })).data.map(({ id }) => id);
  return [await Promise.all(stored), (await gate).sort(), events, tracked.length, told.length];
}

const send = async (
  route: string,
  { path, body }: Row,
  change: { key?: string; body?: string; type?: string },
) => {
  const { key: sent, type = 'application/json' } = change;
  const [method = ''] = route.split(' ');
  const content = change.body ?? body;
  return bench.app.request(path, {
    method,
    headers: { 'content-type': type, ...(sent && { authorization: `Bearer ${sent}` }) },
    ...(content !== undefined && { body: content }),
  });
};

describe('every route', () => {
  it('has a row', () => {
    const routes = bench.app.routes.filter(({ method }) => method !== 'ALL');
    expect(new Set(routes.map(({ method, path }) => `${method} ${path}`))).toEqual(
      new Set(Object.keys(ROUTES)),
    );
  });

  const CASES = Object.entries(ROUTES).flatMap(([route, row]) => {
    const large = JSON.stringify({
      question: 'x'.repeat(route.includes('webhooks') ? WEBHOOK_LIMIT : BODY_LIMIT),
    });
    const cases: [what: string, status: number | undefined, change: () => Parameters<typeof send>[2]][] = [
      ['without a key', row.missing, () => ({})],
      ['with a wrong key', row.wrong, () => ({ key: newApiKey() })],
      ['with words for a key', row.wrong, () => ({ key: 'mb_wrong' })],
      ['with a revoked key', row.revoked, () => ({ key: keys.revoked })],
      ['with the key of another tenant', row.others, () => ({ key: keys.others })],
      ['with a body cut off', row.malformed, () => ({ key: keys.own, body: '{"question":' })],
      ['with another body', row.malformed, () => ({ key: keys.own, body: '[]' })],
      ['with another type', row.wrongType, () => ({ key: keys.own, type: 'text/plain' })],
      ['with too large a body', row.oversized, () => ({ key: keys.own, body: large })],
    ];
    return cases.flatMap(([what, status, change]) =>
      status === undefined ? [] : [[route, what, status, change, row] as const],
    );
  });

  it.each(CASES)('%s %s is answered %i, and changes nothing', async (route, _, status, change, row) => {
    const before = await everything();
    const response = await send(route, row, change());
    if (status === 200) expect(response.status).toBe(200);
    else expect((await problemOf(response))[0]).toBe(status);
    expect(await everything()).toEqual(before);
  });

  it.each(Object.entries(ROUTES))('%s answers a right request as it should', async (route, row) => {
    expect((await send(route, row, { key: keys.own })).status).toBe(row.right);
  });
});
