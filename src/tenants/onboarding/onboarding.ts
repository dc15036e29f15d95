/**
 * From signup to active without a human. A signup is durable when it is answered; its steps are jobs of
 * any number of workers, and go on after a kill where they were, or after a wiped Redis from the first
 * one, which finds its work done. A step that fails for good takes back what was made, and says why.
 */
import { InvalidInputError } from '../../errors.js';
import type { LifecycleEntry } from '../lifecycle-entry.js';
import { readLastEntries } from '../lifecycle-log.js';
import { failureOf } from './failure-of.js';
import { OnboardingProgress } from './progress.js';
import { type SignedUp, type SignUpServices, signUp } from './sign-up.js';
import type { Signup } from './signup-request.js';
import { type StepJob, StepQueue, type StepQueueOptions } from './step-queue.js';
import { isDue, isPaid, type OnboardingServices, rollBack, STEPS, type Step, WORK } from './steps.js';
import { type TenantStatus, tenantStatus, UNDER_WAY } from './tenant-status.js';

export interface OnboardingOptions extends OnboardingServices, SignUpServices {
  readonly keys: SignUpServices['keys'] & OnboardingServices['keys'];
  /** How long a webhook is waited for before Stripe is asked without one. @default 10_000 */
  readonly webhookMs?: number;
  /** Called around each step; what it throws fails the step. @default nothing */
  readonly trace?: (job: StepJob, moment: 'begins' | 'ends') => unknown;
  readonly queue?: StepQueueOptions;
}

/** See startTenants(), which puts one together. */
export class Onboarding {
  readonly #options: OnboardingOptions;
  readonly #queue: StepQueue;
  readonly #progress: OnboardingProgress;

  constructor(options: OnboardingOptions) {
    this.#options = options;
    this.#queue = new StepQueue(options.redis, options.queue);
    this.#progress = new OnboardingProgress(options.redis);
  }

  /** Begins to do steps in this process. */
  work(): void {
    this.#queue.work((job, { isLast }) => this.#run(job, isLast));
  }

  /**
   * Signs a tenant up, for its steps to follow.
   *
   * @returns its key, which cannot be read again, and opens queries once the tenant is active
   * @throws SignupTakenError for an e-mail or a company that somebody has.
   */
  async signUp(signup: Signup): Promise<SignedUp> {
    const signedUp = await signUp(this.#options, signup);
    const { tenantId } = signup;
    // It is promised: without the queue it waits for resume().
    await this.#queue.add({ tenantId, step: 'customer' }).catch((error: unknown) => {
      console.error(`The onboarding of ${tenantId} waits: ${failureOf(error).reason}`);
    });
    return signedUp;
  }

  /**
   * Tries again what failed, from the first step on.
   *
   * @param signup the same as before but for the card; without it the card stays too
   * @throws TransitionRefusedError for a tenant that is active, or gone, or was never there.
   * @throws InvalidInputError for another e-mail or plan than that of the signup.
   */
  async retry(tenantId: string, signup?: Signup): Promise<LifecycleEntry> {
    const { lifecycle, profiles } = this.#options;
    const [current, profile] = [await lifecycle.read(tenantId), await profiles.of(tenantId)];
    const transition = { tenantId, event: 'retry', by: 'signup' } as const;
    const isUnderWay = current && UNDER_WAY.includes(current.state);
    // The lifecycle writes the sentence of the refusal.
    if (!isUnderWay || current.state === 'provisioning' || !profile) return lifecycle.transition(transition);
    for (const field of ['email', 'plan'] as const) {
      if (signup && signup[field] !== profile[field])
        throw new InvalidInputError('signup', field, 'must be that of the first signup');
    }
    if (signup && signup.paymentMethod !== profile.paymentMethod) {
      const { paymentMethod } = signup;
      await profiles.keep({ ...profile, paymentMethod, cardNumber: profile.cardNumber + 1 });
    }
    // In this order: killed in between, it is found by resume().
    await this.#progress.clear(tenantId);
    const isFailed = current.state === 'provisioning_failed';
    const entry = isFailed ? await lifecycle.transition(transition) : current;
    await this.#queue.add({ tenantId, step: 'customer' });
    return entry;
  }

  /** For the handler of webhooks, which has looked the subscription up: its payment waits no longer. */
  async subscriptionChanged({ tenantId, status }: { tenantId: string; status: string }): Promise<void> {
    const entry = isPaid(status) ? await this.#options.lifecycle.read(tenantId) : undefined;
    if (!entry || !isDue('payment', entry.state)) return;
    if (await this.#options.profiles.of(tenantId)) await this.#queue.addNow({ tenantId, step: 'payment' });
  }

  /**
   * Takes up what the queue has lost: for every start, and every minute. What expired since its workers
   * were dead is tried again; what failed is rolled back to the end.
   *
   * @returns how many onboardings that were
   */
  async resume(): Promise<number> {
    const { lifecycle, clickhouse, profiles } = this.#options;
    await lifecycle.expireStale();
    await lifecycle.moveLog();
    let resumed = 0;
    for (const { tenantId, state } of await readLastEntries(clickhouse)) {
      if (!UNDER_WAY.includes(state) || !(await profiles.of(tenantId))) continue;
      try {
        if (await this.#takeUp(tenantId)) resumed += 1;
      } catch (error) {
        console.error(`The onboarding of ${tenantId} waits: ${failureOf(error).reason}`);
      }
    }
    return resumed;
  }

  /** What a tenant may read of itself; undefined for one that nobody knows. */
  async statusOf(tenantId: string): Promise<TenantStatus | undefined> {
    const { now = () => new Date() } = this.#options;
    return tenantStatus({ ...this.#options, progress: this.#progress }, { tenantId, now: now() });
  }

  /** Lets running steps end. */
  async close(): Promise<void> {
    await this.#queue.close();
  }

  /** Unless it needs no help, being in the queue, or having failed to the end. */
  async #takeUp(tenantId: string): Promise<boolean> {
    const steps = await this.#progress.of(tenantId);
    const hasFailed = steps.some(({ state }) => state === 'failed');
    const entry = await this.#options.lifecycle.read(tenantId);
    if (!entry || hasFailed || (await this.#queue.has(tenantId))) return false;
    if (entry.state === 'provisioning_failed') {
      const [step, code] = (entry.reason ?? '').split(': ') as [Step, string?];
      if (code) await this.#takeBack(tenantId, step, code);
      else await this.retry(tenantId);
    } else if (UNDER_WAY.includes(entry.state)) {
      await this.#queue.add({ tenantId, step: 'customer' });
    }
    return true;
  }

  async #run({ tenantId, step }: StepJob, isLast: boolean): Promise<void> {
    const { lifecycle, profiles, trace, webhookMs = 10_000 } = this.#options;
    const [entry, profile] = [await lifecycle.read(tenantId), await profiles.of(tenantId)];
    if (!entry || !profile || !isDue(step, entry.state)) return;
    try {
      await this.#progress.set(tenantId, step, 'running');
      await trace?.({ tenantId, step }, 'begins');
      await WORK[step](this.#options, profile, entry);
      await trace?.({ tenantId, step }, 'ends');
    } catch (error) {
      const { isFinal, reason } = failureOf(error);
      if (!isLast && !isFinal) throw error;
      return this.#giveUp(entry, step, reason);
    }
    await this.#progress.set(tenantId, step, 'done');
    const next = STEPS[STEPS.indexOf(step) + 1];
    if (next)
      await this.#queue.add({ tenantId, step: next }, next === 'payment' ? { delayMs: webhookMs } : {});
    else await this.#progress.clear(tenantId);
  }

  async #giveUp({ tenantId, version }: LifecycleEntry, step: Step, code: string): Promise<void> {
    const { lifecycle } = this.#options;
    const current = await lifecycle.read(tenantId);
    // It went on without this step, by a webhook say; what then stands still is found by resume().
    if (current?.version !== version) return;
    if (current.state === 'provisioning') {
      const reason = `${step}: ${code}`;
      await lifecycle.transition({ tenantId, event: 'fail', version, by: 'onboarding', reason });
    }
    await this.#takeBack(tenantId, step, code);
  }

  async #takeBack(tenantId: string, step: Step, code: string): Promise<void> {
    await rollBack(this.#options, tenantId);
    await this.#progress.fail(tenantId, step, code);
    console.error(`The onboarding of ${tenantId} failed at its step ${step}: ${code}`);
  }
}
