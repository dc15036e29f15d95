import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { createLocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { parseUsd } from '../../src/money.js';
import { PLANS } from '../../src/plans.js';
import { listen } from '../../src/server/listen.js';
import { type ProjectCopy, projectCopy } from '../support/project-copy.js';
import type { ProgramResult } from '../support/run-program.js';

let copy: ProjectCopy;
beforeAll(() => {
  copy = projectCopy();
});
afterAll(() => copy.remove());

const reconcile = (args: string[] = [], env = {}) => copy.run('.build/commands/reconcile.js', args, env);

/** A plan has another price here than at Stripe. */
const dearer = { ...PLANS, pro: { ...PLANS.pro, overagePerQuery: parseUsd('0.00085') } };

/** A Stripe at an address, with a tenant that we do not have. @returns the settings that name it */
async function ghostAtStripe() {
  const local = createLocalStripe();
  const server = await listen(local, {});
  onTestFinished(() => server.close());
  const stripe = local.client();
  const billing = new StripeBillingManager(stripe, {
    catalogue: await ensureCatalogue(stripe, { plans: dearer }),
  });
  const contact = { tenantId: 'ghost', email: 'g@example.com', name: 'Ghost' };
  const customerId = await billing.createCustomer(contact);
  await billing.createSubscription({ customerId, planType: 'pro', tenantId: 'ghost' });
  return { local, env: { STRIPE_URL: server.url, STRIPE_API_KEY: 'sk_test_local' } };
}

describe('npm run reconcile', () => {
  it('finds nothing in the sample month', async () => {
    const { code, printed } = await reconcile(['--month', '2025-11']);
    expect(printed).toMatch(/0 differences, 0 of them for a person\n$/);
    expect(code).toBe(0);
  });

  it('lists what a Stripe at an address has and we have not, and mends it when it is told to', async () => {
    const { local, env } = await ghostAtStripe();
    const writes: string[] = [];
    local.faults = ({ method, path }) => {
      if (method !== 'GET') writes.push(`${method} ${path}`);
      return undefined;
    };
    const found = await reconcile([], env);
    expect([found.code, found.printed]).toEqual([1, expect.stringMatching(/^ghost: subscription extra, /)]);
    const dry = await reconcile(['--repair', '--dry-run'], env);
    expect([dry.code, dry.printed]).toEqual([1, expect.stringContaining('would be done: ghost: ')]);
    const json = await reconcile(['--json'], env);
    expect(JSON.parse(json.printed)).toMatchObject([
      { subject: 'subscription', class: 'extra', tenant: 'ghost' },
    ]);
    expect(writes).toEqual([]);
    const mended = await reconcile(['--repair'], env);
    expect([mended.code, mended.printed]).toEqual([
      0,
      expect.stringMatching(/\n0 differences, 0 of them for a person\n$/),
    ]);
    // Without a difference it is known by its customer.
    expect(await reconcile(['--tenant', 'ghost'], env)).toEqual({
      code: 0,
      printed: '0 differences, 0 of them for a person\n',
    });
  });

  it('does not say that all is well with a tenant that nobody knows, and a month to come', async () => {
    const { env } = await ghostAtStripe();
    expect(await reconcile(['--tenant', 'gohst'], env)).toEqual({
      code: 2,
      printed: 'Cannot compare --tenant "gohst": no terms, no usage and no customer at Stripe\n',
    });
    expect(await reconcile(['--month', '2199-01'], env)).toEqual({
      code: 2,
      printed: 'Cannot compare --month 2199-01: it has not begun\n',
    });
  });
});

describe('npm run reconcile, that has nothing to compare', () => {
  const REFUSED: [args: string[], printed: string][] = [
    // Before it lives the sample, which would be heard of.
    [['--month', '2027-01'], 'Cannot compare --month 2027-01: it has not begun\n'],
    [['--tenant', 'nobody'], 'Cannot compare --tenant "nobody": the sample has no such tenant\n'],
    [['--month', '2025-13'], 'Cannot read month: need the form 2025-11, current value is "2025-13"\n'],
    [['--dry-run'], 'Cannot take --dry-run without --repair: nothing is done anyway\n'],
    [['--dry-run', '--json'], 'Cannot take --dry-run without --repair: nothing is done anyway\n'],
  ];
  let results: ProgramResult[];
  beforeAll(async () => {
    const starts = [...REFUSED.map(([args]) => ({ args })), { args: [], env: { OFFLINE: 'true' } }];
    results = await copy.runEach('.build/commands/reconcile.js', starts);
  });

  it.each(REFUSED.map((given, index) => [...given, index] as const))(
    'refuses %j in one sentence',
    (_args, printed, index) => {
      expect(results[index]).toEqual({ code: 2, printed });
    },
  );

  it('skips with a reason where a service is off', () => {
    expect(results.at(-1)).toEqual({ code: 0, printed: '⚠️  Skipping (OFFLINE=true)\n' });
  });
});
