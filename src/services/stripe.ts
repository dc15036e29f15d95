/** Stripe: the local one in this process, a sandbox by its key, or a local one by its address. */
import { join } from 'node:path';
import type Stripe from 'stripe';
import type { Config, StripeAccess } from '../config.js';
import { messageOf, sayFailure } from '../say-failure.js';
import type { StripeClient } from '../stripe-client.js';
import { FIRST_ANSWER_MS, type Opened, off } from './opened.js';
import { unreachable } from './unreachable.js';

export async function openStripe(
  config: Config,
  { path, name }: { path: string; name: string },
): Promise<Opened<StripeClient>> {
  const access = config.stripe;
  if (!access) return openLocal(join(path, 'stripe.jsonl'), name);
  return 'key' in access ? openAccount(access) : off(access.message);
}

/** What is set in the dashboard of an account at Stripe, for a local one as the kit needs it. */
export const ACCOUNT_SETTINGS = {
  // A month is issued when its late usage is in.
  usageGraceHours: 72,
  // Whoever pays at last has its subscription back.
  endOfRetries: 'unpaid',
} as const;

/** How often webhooks and renewals of customers without a test clock are looked after. */
const TICK_MS = 1_000;

/**
 * Starts a local Stripe that looks after its webhooks and renewals by itself.
 *
 * @param options `file` keeps its state; with a `seed` its ids are the same in each run of a notebook
 */
export async function startLocalStripe(options: { file?: string; seed?: string }) {
  // Loaded here, not above: it has Stripe's SDK with it, and a first cell should not wait for that.
  const { createLocalStripe } = await import('../local-stripe/create-local-stripe.js');
  const local = createLocalStripe({ ...ACCOUNT_SETTINGS, ...options });
  const tick = () => local.tick().catch(sayFailure('The local Stripe waits'));
  const ticking = setInterval(tick, TICK_MS).unref();
  const close = async () => {
    clearInterval(ticking);
    await local.close();
  };
  return { local, close };
}

async function openLocal(file: string, seed: string): Promise<Opened<StripeClient>> {
  try {
    const { local, close } = await startLocalStripe({ file, seed });
    return { service: { mode: 'embedded', client: local.client() as StripeClient, address: file }, close };
  } catch (error) {
    return off(`the local Stripe cannot start: ${messageOf(error)}`);
  }
}

async function openAccount({ setting, key, url }: StripeAccess): Promise<Opened<StripeClient>> {
  const { default: StripeSdk } = await import('stripe');
  const place: Partial<Stripe.StripeConfig> = url
    ? {
        host: url.hostname,
        port: url.port || portOf(url),
        protocol: url.protocol === 'http:' ? 'http' : 'https',
      }
    : {};
  const client = new StripeSdk(key, { ...place, telemetry: false });
  try {
    // Any account has this list, and no other call is as cheap.
    await client.products.list({ limit: 1 }, { timeout: FIRST_ANSWER_MS, maxNetworkRetries: 0 });
  } catch (error) {
    if (error instanceof StripeSdk.errors.StripeAuthenticationError)
      return off(`${setting}: Stripe does not know this key`);
    const endpoint = url
      ? { setting: 'STRIPE_URL', url }
      : { setting, url: new URL('https://api.stripe.com') };
    return off(unreachable(endpoint, error));
  }
  const address = url?.origin ?? 'https://api.stripe.com';
  return {
    service: { mode: 'configured', client: client as StripeClient, address },
    close: async () => undefined,
  };
}

const portOf = ({ protocol }: URL) => (protocol === 'http:' ? '80' : '443');
