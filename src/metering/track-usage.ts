/** Meters a handler: every call is an event, failed ones too, with what they used and how long they took. */
import { messageOf } from '../say-failure.js';
import type { UsageEvent } from './event.js';
import type { EventInput } from './event-input.js';
import type { UsageTracker } from './tracker.js';

/**
 * What a call used, as the handler reports it; nothing before it does. Several reports add up.
 *
 * @throws Error for a second model: one call is one event, which has one price.
 */
export type ReportUsage = (
  usage: Pick<EventInput, 'model' | 'tokensInput' | 'tokensOutput' | 'bytes'>,
) => void;

/**
 * Runs a handler and tracks it; gives its answer and the event. An answered call is one query; a failed one is an event of 0
 * queries with the cost of what it used: counted, and not billed as a query.
 *
 * @throws what the handler throws, after tracking it.
 * @example
 * const { answer, event } = await trackUsage(tracker, { tenantId, endpoint: '/query' }, async (report) => {
 *   const completion = await model.complete(question);
 *   report({ model: 'gpt-4o', tokensInput: completion.in, tokensOutput: completion.out });
 *   return completion.text;
 * });
 */
export async function trackUsage<Answer>(
  tracker: Pick<UsageTracker, 'track'>,
  call: Pick<EventInput, 'tenantId' | 'eventId' | 'endpoint' | 'timestamp'>,
  handler: (report: ReportUsage) => Promise<Answer>,
): Promise<{ answer: Answer; event: UsageEvent }> {
  const started = performance.now();
  let used: Used = {};
  const track = (queries: number) =>
    tracker.track({ ...call, ...used, queries, latencyMs: Math.round(performance.now() - started) });
  let answer: Answer;
  try {
    answer = await handler((usage) => {
      used = added(used, usage);
    });
  } catch (error) {
    try {
      track(0);
    } catch (untracked) {
      const both = [error, untracked].map(messageOf);
      throw new AggregateError([error, untracked], both.join('; and its usage is not tracked: '));
    }
    throw error;
  }
  return { answer, event: track(1) };
}

type Used = Parameters<ReportUsage>[0];

function added(before: Used, more: Used): Used {
  const { model = before.model } = more;
  if (before.model !== undefined && before.model !== model) {
    throw new Error(`Cannot report usage of ${model}: the call has used ${before.model}, and is one event`);
  }
  const sum = (count: 'tokensInput' | 'tokensOutput' | 'bytes') => (before[count] ?? 0) + (more[count] ?? 0);
  return {
    model,
    tokensInput: sum('tokensInput'),
    tokensOutput: sum('tokensOutput'),
    bytes: sum('bytes'),
  };
}
