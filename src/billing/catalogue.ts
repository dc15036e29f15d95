/**
 * The catalogue at Stripe: one meter, and for each plan a product with two prices, the base fee in
 * advance and the usage in arrears. All is found again by fixed names, so that running it twice
 * changes nothing. A price at Stripe cannot be changed: other terms make a new one, which takes over
 * the name, and the old one is archived. Who subscribed to it keeps it.
 */
import Stripe from 'stripe';
import { formatUsd } from '../money.js';
import { PLANS, type Plan, type PlanName } from '../plans.js';
import type { StripeClient } from '../stripe-client.js';
import { NoCatalogueError } from './billing-errors.js';
import { sdkOf } from './sdk.js';

/** The ids of a plan's prices. */
export interface PlanPrices {
  readonly productId: string;
  readonly basePriceId: string;
  readonly usagePriceId: string;
}

export interface Catalogue {
  readonly meterId: string;
  readonly plans: Readonly<Record<PlanName, PlanPrices>>;
  /** What this run made or archived, in words; nothing when all was there. */
  readonly changes: readonly string[];
}

/** The meter's events carry a day's queries of a tenant; the newest of a day counts. */
export const METER_EVENT_NAME = 'meterbridge_queries';

export interface CatalogueOptions {
  /** @default PLANS */
  readonly plans?: Readonly<Record<PlanName, Plan>>;
  /** Nothing is made or archived: what is there is taken as it is. @default false */
  readonly readOnly?: boolean;
}

/**
 * Finds the catalogue at Stripe, and makes what is missing or has other terms.
 *
 * @throws NoCatalogueError for what is missing and may not be made; what the SDK throws: what was made until then
 *   is found by the next run.
 * @example const { plans } = await ensureCatalogue(stripe); // plans.pro.basePriceId: 'price_…'
 */
export async function ensureCatalogue(
  client: StripeClient,
  { plans = PLANS, readOnly = false }: CatalogueOptions = {},
): Promise<Catalogue> {
  const changes: string[] = [];
  const making: Making = { stripe: sdkOf(client), changes, readOnly };
  const meterId = await ensureMeter(making);
  const found: [string, PlanPrices][] = [];
  for (const plan of Object.values(plans)) {
    const productId = await ensureProduct(making, plan);
    const basePriceId = await ensurePrice(making, basePriceOf(plan, productId));
    const usagePriceId = await ensurePrice(making, usagePriceOf(plan, productId, meterId));
    found.push([plan.name, { productId, basePriceId, usagePriceId }]);
  }
  return { meterId, plans: Object.fromEntries(found) as Catalogue['plans'], changes };
}

interface Making {
  readonly stripe: Stripe;
  readonly changes: string[];
  readonly readOnly: boolean;
}

async function ensureMeter({ stripe, changes, readOnly }: Making): Promise<string> {
  for await (const meter of stripe.billing.meters.list({ status: 'active', limit: 100 })) {
    if (meter.event_name === METER_EVENT_NAME) return meter.id;
  }
  if (readOnly) throw new NoCatalogueError(`meter ${METER_EVENT_NAME}`);
  const meter = await stripe.billing.meters.create(
    {
      display_name: 'Queries',
      event_name: METER_EVENT_NAME,
      default_aggregation: { formula: 'sum' },
      event_time_window: 'day',
    },
    { idempotencyKey: `meter:${METER_EVENT_NAME}` },
  );
  changes.push(`made meter ${METER_EVENT_NAME}`);
  return meter.id;
}

async function ensureProduct({ stripe, changes, readOnly }: Making, plan: Plan): Promise<string> {
  const id = `meterbridge_${plan.name}`;
  const { data } = await stripe.products.list({ ids: [id] });
  if (data[0]) return id;
  if (readOnly) throw new NoCatalogueError(`product ${id}`);
  const name = `${plan.name[0]?.toUpperCase()}${plan.name.slice(1)}`;
  await stripe.products.create({ id, name }, { idempotencyKey: `product:${id}` });
  changes.push(`made product ${id}`);
  return id;
}

type PriceTerms = Stripe.PriceCreateParams & { lookup_key: string };

/** Billed at the beginning of a month, for that month. */
function basePriceOf(plan: Plan, product: string): PriceTerms {
  return {
    lookup_key: `meterbridge_${plan.name}_base`,
    product,
    currency: 'usd',
    unit_amount: Number(plan.baseCents),
    recurring: { interval: 'month' },
  };
}

/** Billed at the end of a month, for what was used: the included queries are a tier at price 0. */
function usagePriceOf(plan: Plan, product: string, meter: string): PriceTerms {
  return {
    lookup_key: `meterbridge_${plan.name}_usage`,
    product,
    currency: 'usd',
    billing_scheme: 'tiered',
    tiers_mode: 'graduated',
    tiers: [
      { up_to: plan.includedQueries, unit_amount: 0 },
      { up_to: 'inf', unit_amount_decimal: Stripe.Decimal.from(centsPerUnit(plan)) },
    ],
    recurring: { interval: 'month', usage_type: 'metered', meter },
  };
}

/** Cents as a decimal, as Stripe takes prices of less than a cent: `0.1` for $0.001. */
const centsPerUnit = ({ overagePerQuery }: Plan) => formatUsd(overagePerQuery * 100n);

async function ensurePrice({ stripe, changes, readOnly }: Making, terms: PriceTerms): Promise<string> {
  const { lookup_key: name } = terms;
  const { data } = await stripe.prices.list({ lookup_keys: [name], active: true, expand: ['data.tiers'] });
  const [old] = data;
  if (old && (readOnly || signature(old) === signature(terms))) return old.id;
  if (readOnly) throw new NoCatalogueError(`price ${name}`);
  // With the old one in it the key is another when a price goes back to what it once was.
  const idempotencyKey = `price:${name}:${signature(terms)}:after:${old?.id ?? 'none'}`;
  const made = await stripe.prices.create({ ...terms, transfer_lookup_key: true }, { idempotencyKey });
  changes.push(`made price ${name}`);
  if (old) {
    await stripe.prices.update(old.id, { active: false });
    changes.push(`archived the old price ${name}`);
  }
  return made.id;
}

/** What a price is, in one line: equal for the same terms, whether asked for or come back. */
function signature(price: PriceTerms | Stripe.Price): string {
  const tiers = price.tiers?.map((tier) => `${tier.up_to ?? 'inf'}@${amountOf(tier)}`) ?? [amountOf(price)];
  const meter = price.recurring?.meter ?? 'licensed';
  return `${meter}:${tiers.join(',')}`;
}

type Amounts = { unit_amount?: number | null; unit_amount_decimal?: Stripe.Decimal | null };

function amountOf({ unit_amount: whole, unit_amount_decimal: decimal }: Amounts): string {
  return Stripe.Decimal.from(String(decimal ?? whole ?? 0)).toString();
}
