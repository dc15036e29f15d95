/** Has a Stripe send its events to an address of ours: the local one, or one that reaches this machine. */
import type { StripeClient } from '../../stripe-client.js';
import { sdkOf } from '../sdk.js';
import { HANDLED_TYPES } from './handle-webhook.js';

/** Names the endpoints that were made here, so that those of earlier runs go. */
const MADE_BY = { made_by: 'meterbridge serve' };

/**
 * @returns the secret that its events are signed with
 * @example const secret = await registerEndpoint(stripe, `${server.url}/webhooks/stripe`);
 */
export async function registerEndpoint(client: StripeClient, url: string): Promise<string> {
  const { webhookEndpoints } = sdkOf(client);
  for await (const { id, metadata } of webhookEndpoints.list({ limit: 100 })) {
    if (metadata.made_by === MADE_BY.made_by) await webhookEndpoints.del(id);
  }
  const made = await webhookEndpoints.create({ url, enabled_events: [...HANDLED_TYPES], metadata: MADE_BY });
  // It is told at this moment alone.
  return made.secret as string;
}
