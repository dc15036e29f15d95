/** What a tenant becomes by an event: the rules of the lifecycle, without Redis and without a clock. */
import { z } from 'zod';
import { planName, tenantId, text, wholeNumber } from '../input.js';
import { DAY_MS } from '../period.js';
import type { PlanName } from '../plans.js';
import type { LifecycleEntry } from './lifecycle-entry.js';
import { LIFECYCLE, type LifecycleEvent, nextState, TRANSITIONS } from './lifecycle-table.js';
import { TransitionRefusedError } from './transition-refused-error.js';

/** What may be asked for: an overdue worker is found by the lifecycle itself. */
export type AskableEvent = Exclude<LifecycleEvent, 'expire'>;

export interface TransitionRequest {
  readonly tenantId: string;
  readonly event: AskableEvent;
  /** Who asks, as a short name and never an e-mail address: the log is kept for good. */
  readonly by: string;
  /** Why; without personal data. */
  readonly reason?: string | undefined;
  /** The version that the caller goes by. Needed to `complete` or `fail` what it began. */
  readonly version?: number | undefined;
  /** Needed to `sign_up`, `upgrade` and `downgrade`; a tenant that is won back may choose another. */
  readonly plan?: PlanName | undefined;
  /** How long a worker may take for what begins. @default 15 minutes */
  readonly timeoutMs?: number | undefined;
}

/** Longer than Stripe and a provisioning take with all their retries. */
export const TIMEOUT_MS = 15 * 60_000;

const TIMEOUT = 'must be a whole number from 1 to a year of milliseconds';
const timeoutMs = z
  .int(TIMEOUT)
  .min(1, TIMEOUT)
  .max(366 * DAY_MS, TIMEOUT)
  .optional();
const common = {
  tenantId,
  by: z.string('must be a name').regex(/^[a-z][a-z0-9_:-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, _, : and -'),
  reason: text.max(200, 'must be at most 200 characters').optional(),
  version: wholeNumber.optional(),
};

const askable = new Set(TRANSITIONS.map(({ event }) => event).filter((event) => event !== 'expire'));

/** Each event takes what belongs to it, and nothing that would be ignored. */
export const transitionRequest: z.ZodType<TransitionRequest> = z.discriminatedUnion(
  'event',
  [
    z.strictObject({ ...common, event: z.literal('sign_up'), plan: planName }),
    z.strictObject({ ...common, event: z.enum(['upgrade', 'downgrade']), plan: planName, timeoutMs }),
    z.strictObject({ ...common, event: z.literal('win_back'), plan: planName.optional(), timeoutMs }),
    z.strictObject({ ...common, event: z.enum(['pay', 'retry']), timeoutMs }),
    z.strictObject({ ...common, event: z.enum(['suspend', 'reactivate', 'cancel', 'delete', 'purge']) }),
    z.strictObject({ ...common, event: z.enum(['complete', 'fail']), version: wholeNumber }),
  ],
  `must be one of ${[...askable].join(', ')}`,
);

/**
 * The tenant after a checked request.
 *
 * @param current undefined for a tenant that nobody knows
 * @throws TransitionRefusedError where the table does not allow it, or the version is another.
 */
export function nextEntry(
  current: LifecycleEntry | undefined,
  asked: TransitionRequest,
  now: Date,
): LifecycleEntry {
  const { tenantId, event } = asked;
  const { state: from, version } = current ?? NOBODY;
  const changed = asked.version !== undefined && asked.version !== version;
  const state = changed ? undefined : nextState(current ?? NOBODY, event);
  if (!state) throw new TransitionRefusedError({ tenantId, event, state: from, version, changed });
  return entered(current, asked, { from, state, now });
}

/**
 * The tenant after its worker did not end in time.
 *
 * @param billed the plan that it has at Stripe, if that is known: the change may have been made there
 */
export function expiredEntry(current: LifecycleEntry, now: Date, billed?: PlanName): LifecycleEntry {
  const plan = billed === current.targetPlan ? billed : current.plan;
  const asked = { tenantId: current.tenantId, event: 'expire' as const, by: 'lifecycle', plan };
  const state = nextState(current, 'expire') ?? current.state;
  return entered(current, asked, { from: current.state, state, now });
}

/** Whether a worker had its time. What is not complete by then is rolled back, even if nobody looked yet. */
export function isOverdue({ deadline }: LifecycleEntry, now: Date): boolean {
  return deadline !== undefined && deadline <= now;
}

const NOBODY = { state: 'none', from: 'none', version: 0 } as const;

function entered(
  current: LifecycleEntry | undefined,
  asked: Omit<TransitionRequest, 'event'> & { event: LifecycleEvent },
  { from, state, now }: Pick<LifecycleEntry, 'from' | 'state'> & { now: Date },
): LifecycleEntry {
  const begins = LIFECYCLE[state].rollsBackTo !== undefined;
  return {
    tenantId: asked.tenantId,
    version: (current?.version ?? 0) + 1,
    event: asked.event,
    from,
    state,
    at: new Date(Math.max(now.getTime(), current?.at.getTime() ?? 0)),
    by: asked.by,
    reason: asked.reason,
    ...plansAfter(current, asked),
    deadline: begins ? new Date(now.getTime() + (asked.timeoutMs ?? TIMEOUT_MS)) : undefined,
  };
}

/** A new plan waits until the transition is complete; one that fails leaves the old one. */
function plansAfter(
  current: LifecycleEntry | undefined,
  { event, plan }: { event: LifecycleEvent; plan?: PlanName | undefined },
): Pick<LifecycleEntry, 'plan' | 'targetPlan'> {
  if (!current) return { plan: plan as PlanName };
  if (event === 'complete') return { plan: current.targetPlan ?? current.plan };
  if (event === 'expire') return { plan: plan ?? current.plan };
  return { plan: current.plan, targetPlan: plan };
}
