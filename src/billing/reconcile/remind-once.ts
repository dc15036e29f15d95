/** Reminds tenants of a watched subscription, each once: that it was done stands at Stripe. */
import type { Notifier } from '../../notifier.js';
import { dayOf } from '../../period.js';
import { sdkOf } from '../sdk.js';
import type { Books } from './books.js';
import type { WatchedSubscription } from './watched-subscriptions.js';

/** What the tenant is told, by topic. */
const WORDS = {
  trial_without_card: (end: string) => `Your trial ends on ${end}; please add a card to go on`,
  incomplete: (end: string) => `Your first payment did not go through; it can be made up for until ${end}`,
} as const;

/**
 * @returns the rows whose tenants were told now
 * @example await remindOnce(await trialsWithoutCard(books), 'trial_without_card', { stripe, notifier, now });
 */
export async function remindOnce(
  rows: readonly WatchedSubscription[],
  topic: keyof typeof WORDS,
  { stripe: client, notifier, now }: Pick<Books, 'stripe' | 'now'> & { notifier: Notifier },
): Promise<WatchedSubscription[]> {
  const stripe = sdkOf(client);
  const key = `reminded_${topic}`;
  const reminded: WatchedSubscription[] = [];
  for (const row of rows) {
    const { metadata } = await stripe.subscriptions.retrieve(row.subscriptionId);
    if (metadata[key]) continue;
    // Written down first: a process that is killed in between has told nobody, and not twice.
    await stripe.subscriptions.update(row.subscriptionId, { metadata: { [key]: dayOf(now) } });
    await notifier.notify({ topic, tenantId: row.tenantId, text: WORDS[topic](dayOf(row.endsAt)) });
    reminded.push(row);
  }
  return reminded;
}
