/** Reminds tenants of a watched subscription, each once, whether a webhook tells of it or the daily look. */
import { dayOf } from '../../period.js';
import type { WatchedSubscription } from './watched-subscriptions.js';

/** What the tenant is told, by topic. */
const WORDS = {
  trial_reminder: (end: string) => `Your trial ends on ${end} and there is no card; please add one`,
  incomplete: (end: string) => `Your first payment did not go through; it can be made up for until ${end}`,
} as const;

export type ReminderTopic = keyof typeof WORDS;

/** @example reminderText('trial_reminder', new Date('2025-11-15')) // 'Your trial ends on 2025-11-15 …' */
export const reminderText = (topic: ReminderTopic, endsAt: Date) => WORDS[topic](dayOf(endsAt));

/** Tells for good: the DunningManager, whose ledger remembers it. */
export interface TellsOnce {
  tellOnce(message: { tenantId: string; about: string; topic: string; text: string }): Promise<boolean>;
}

/**
 * Tells each tenant of a watched subscription once, whoever asks.
 *
 * @returns the rows whose tenants were told now
 * @example await remindOnce(await trialsWithoutCard(books), 'trial_reminder', dunning);
 */
export async function remindOnce(
  rows: readonly WatchedSubscription[],
  topic: ReminderTopic,
  dunning: TellsOnce,
): Promise<WatchedSubscription[]> {
  const reminded: WatchedSubscription[] = [];
  for (const row of rows) {
    const { tenantId, subscriptionId: about, endsAt } = row;
    const text = reminderText(topic, endsAt);
    if (await dunning.tellOnce({ tenantId, about, topic, text })) reminded.push(row);
  }
  return reminded;
}
