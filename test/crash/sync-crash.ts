/**
 * Random kills of the usage sync: a process reports to a local Stripe over HTTP and is ended by SIGKILL at
 * any moment, while calls and answers are lost and totals are corrected there and back. What Stripe bills
 * in the end must be the last totals.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StripeBillingManager } from '../../src/billing/billing-manager.js';
import { ensureCatalogue } from '../../src/billing/catalogue.js';
import { openTestClock } from '../../src/billing/test-clock.js';
import { createLocalStripe, type LocalStripe } from '../../src/local-stripe/create-local-stripe.js';
import { listen } from '../../src/server/listen.js';
import { ACCOUNT_SETTINGS } from '../../src/services/stripe.js';
import { openFronted } from '../support/fronted.js';
import { type Seeded, seeded } from '../support/seeded.js';

const script = fileURLToPath(new URL('../support/sync-child.mjs', import.meta.url));
const NOW = new Date('2025-12-01T00:10:00Z');
const TENANTS = ['acme-corp', 'beta-inc', 'charlie-co'];
const DAYS = ['2025-11-02', '2025-11-15', '2025-11-28', '2025-11-29', '2025-11-30'];

export interface SyncCrashResult {
  /** Runs that were killed before they had ended. */
  readonly killed: number;
  /** Calls that went wrong on purpose. */
  readonly faults: number;
  /** A sentence for each total that is wrong. */
  readonly problems: readonly string[];
}

/** @example const { problems } = await syncCrash({ seed: 1, kills: 50 }); */
export async function syncCrash({ seed, kills }: { seed: number; kills: number }): Promise<SyncCrashResult> {
  const random = seeded(seed);
  const engine = await openFronted();
  const local = createLocalStripe({ ...ACCOUNT_SETTINGS, now: () => NOW });
  const faulty = withFaults(local, random);
  const server = await listen(faulty, {});
  const totals = new Map<string, number>();
  const counts = { killed: 0 };
  try {
    const { clock, billing, customers } = await subscribe(local);
    const start = (): ChildProcess => {
      const rows = rowsOf(totals, customers);
      const options = { clickhouseUrl: engine.front.url, stripeUrl: server.url, now: NOW.getTime(), rows };
      return spawn(process.execPath, [script, JSON.stringify(options)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
    };
    const runs = kills * 3;
    // On a busy machine all may be killed before a call went wrong: then one more, until one has.
    const isMet = () => counts.killed >= kills && faulty.count() > 0;
    for (let run = 0; !isMet(); run += 1) {
      if (run === runs) throw new Error(`only ${counts.killed} of ${runs} runs were killed before their end`);
      correct(random, totals);
      const isLast = counts.killed >= kills;
      faulty.broken = isLast || random.chance(0.7);
      const child = start();
      const ended = once(child, 'exit') as Promise<[number | null]>;
      // While it looks up what is there, or from its first report on.
      const begun = random.chance(0.3) ? once(child, 'message') : faulty.nextReport();
      await Promise.race([ended, begun]);
      await Promise.race([ended, isLast ? faulty.nextFault() : sleep(random.below(150))]);
      child.kill('SIGKILL');
      const [code] = await ended;
      if (code === null) counts.killed += 1;
    }
    faulty.broken = false;
    for (let time = 0; time < 3; time += 1) {
      const [code] = (await once(start(), 'exit')) as [number | null];
      if (code !== 0) throw new Error(`a run without faults ended with ${code}`);
    }
    await clock.advanceTo(new Date('2025-12-04T02:00:00Z'));
    const problems = await wrongTotals(billing, customers, totals);
    return { ...counts, faults: faulty.count(), problems };
  } finally {
    await server.close();
    await engine.close();
  }
}

/** Calls are lost, or their answers, with the connection. */
function withFaults(local: LocalStripe, random: Seeded) {
  let count = 0;
  let reported: () => void = () => undefined;
  let broke: () => void = () => undefined;
  const faulty = {
    broken: false,
    count: () => count,
    nextReport: () =>
      new Promise<void>((resolve) => {
        reported = resolve;
      }),
    nextFault: () =>
      new Promise<void>((resolve) => {
        if (count > 0) resolve();
        broke = resolve;
      }),
    async fetch(request: Request, env?: { outgoing: { destroy(): void } }): Promise<Response> {
      if (!request.url.endsWith('/meter_events')) return local.fetch(request);
      reported();
      if (!faulty.broken || random.chance(0.5)) return local.fetch(request);
      count += 1;
      broke();
      const kind = random.pick(['lost request', 'lost answer', 'twice', 'refused']);
      if (kind === 'refused')
        return Response.json({ error: { type: 'api_error', message: 'busy' } }, { status: 503 });
      const copy = request.clone();
      if (kind !== 'lost request') await local.fetch(request);
      // A proxy on the way may send a request again.
      if (kind === 'twice') return local.fetch(copy);
      env?.outgoing.destroy();
      return new Response();
    },
  };
  return faulty;
}

async function subscribe(local: LocalStripe) {
  const stripe = local.client();
  const clock = openTestClock(stripe, { start: new Date('2025-11-01T00:00:00Z') });
  const billing = new StripeBillingManager(stripe, {
    catalogue: await ensureCatalogue(stripe),
    testClock: clock,
  });
  const customers = new Map<string, { customerId: string; subscriptionId: string }>();
  for (const tenantId of TENANTS) {
    const customerId = await billing.getOrCreateCustomer({
      tenantId,
      email: 'a@example.com',
      name: tenantId,
    });
    await billing.attachPaymentMethod({ customerId, paymentMethodId: 'pm_card_visa' });
    const request = { customerId, planType: 'starter' as const, tenantId, trialDays: 0 };
    const { subscriptionId } = await billing.createSubscription(request);
    customers.set(tenantId, { customerId, subscriptionId });
  }
  await clock.advanceTo(NOW);
  return { clock, billing, customers };
}

type Customers = Awaited<ReturnType<typeof subscribe>>['customers'];

/** Some days' new totals: a few values, so that one often comes back to what it was. */
function correct(random: Seeded, totals: Map<string, number>): void {
  for (const tenantId of TENANTS)
    for (const date of DAYS)
      if (random.chance(0.4)) totals.set(`${tenantId} ${date}`, 1_000 * (1 + random.below(3)));
}

function rowsOf(totals: ReadonlyMap<string, number>, customers: Customers) {
  return [...totals].map(([key, query_count]) => {
    const [tenant_id = '', date = ''] = key.split(' ');
    return { tenant_id, date, query_count, subscription_id: customers.get(tenant_id)?.subscriptionId };
  });
}

async function wrongTotals(
  billing: StripeBillingManager,
  customers: Customers,
  totals: ReadonlyMap<string, number>,
): Promise<string[]> {
  const problems: string[] = [];
  for (const [tenantId, { customerId }] of customers) {
    const expected = [...totals].reduce(
      (sum, [key, total]) => sum + (key.startsWith(tenantId) ? total : 0),
      0,
    );
    const billed =
      (await billing.invoicesOf(customerId))
        .at(-1)
        ?.lines.filter(({ description }) => description.includes('Tier')) ?? [];
    const quantity = billed.reduce((sum, line) => sum + line.quantity, 0);
    if (quantity !== expected)
      problems.push(`${tenantId} is billed ${quantity} queries instead of ${expected}`);
  }
  return problems;
}
