/** A tenant of a check's own: it signs up over HTTP like any other, and is deleted at the end. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { PlanName } from '../plans.js';
import { messageOf } from '../say-failure.js';
import { callHttp, type Reply } from './call-http.js';
import type { Finding } from './check.js';

export interface TestTenant {
  readonly tenantId: string;
  /** Sends a request with the tenant's key. */
  call(method: string, path: string, body?: object): Promise<Reply>;
  /** `POST /query` */
  ask(question: string): Promise<Reply>;
}

export interface Signup {
  readonly company: string;
  readonly email: string;
  readonly plan: PlanName;
  readonly payment_method: string;
}

/** Longest wait from signup to active, in seconds: the course's. */
export const SIGNUP_SECONDS = 60;

/** A signup whose company and e-mail nobody has. */
export function newSignup(plan: PlanName = 'starter', payment_method = 'pm_card_visa'): Signup {
  const company = `readiness-${randomBytes(8).toString('hex')}`;
  return { company, email: `${company}@example.com`, plan, payment_method };
}

/** What may stand in a header. */
const isKey = (key: unknown): key is string => typeof key === 'string' && /^[\x21-\x7e]+$/.test(key);

/**
 * Signs up, and does not wait.
 *
 * @param options.seconds longest wait for an answer, also of the tenant's calls @default 30
 * @returns no tenant where the answer is not 202 with an id and a key
 * @throws Error with the address, where no answer comes.
 * @example
 * const card = { plan: 'pro', payment_method: 'pm_card_visa' } as const;
 * const { status } = await signUp(server.url, { company: 'new-ltd', email: 'a@example.com', ...card });
 */
export async function signUp(
  url: string,
  signup: Signup,
  { seconds }: { seconds?: number } = {},
): Promise<{ status: number; tenant?: TestTenant }> {
  const { status, body } = await callHttp(url, 'POST', '/signup', { body: signup, seconds });
  const { tenant_id: tenantId, api_key: key } = body;
  if (status !== 202 || typeof tenantId !== 'string' || !isKey(key)) return { status };
  const send: TestTenant['call'] = (method, path, body) =>
    callHttp(url, method, path, { key, body, seconds });
  return {
    status,
    tenant: { tenantId, call: send, ask: (question) => send('POST', '/query', { question }) },
  };
}

interface Step {
  readonly name: string;
  readonly state: string;
  readonly reason?: string;
}

/** The steps of an onboarding, from `GET /api/tenants/{id}`. */
export const stepsIn = ({ body }: Reply): Step[] =>
  Array.isArray(body.steps) ? body.steps.filter((step) => typeof step === 'object' && step !== null) : [];

/** Whether it failed for good. */
export const hasFailed = (reply: Reply): boolean =>
  reply.body.state === 'provisioning_failed' || stepsIn(reply).some(({ state }) => state === 'failed');

/** Between two looks at how far a signup is. */
const LOOK_MS = 100;

/**
 * Waits until an onboarding has ended.
 *
 * @returns the last answer to `GET /api/tenants/{id}`
 * @example
 * const card = { plan: 'pro', payment_method: 'pm_card_visa' } as const;
 * const { tenant } = await signUp(server.url, { company: 'new-ltd', email: 'a@example.com', ...card });
 * if (tenant) console.log((await onboarded(tenant)).body.state); // active
 */
export async function onboarded(
  { tenantId, call }: TestTenant,
  { seconds = SIGNUP_SECONDS }: { seconds?: number } = {},
): Promise<Reply> {
  const end = performance.now() + seconds * 1_000;
  for (;;) {
    const reply = await call('GET', `/api/tenants/${tenantId}`);
    const isOver = reply.status !== 200 || reply.body.state === 'active' || hasFailed(reply);
    if (isOver || performance.now() >= end) return reply;
    await setTimeout(LOOK_MS);
  }
}

/** Longest wait for a tenant that cannot be deleted yet. */
const SETTLING_SECONDS = 10;

/** Deletes tenants. @returns a sentence for each that stays */
async function deleteTenants(tenants: readonly TestTenant[]): Promise<string[]> {
  const deleted = async (tenant: TestTenant): Promise<string[]> => {
    const deleteIt = () => tenant.call('DELETE', `/api/tenants/${tenant.tenantId}`);
    try {
      let { status } = await deleteIt();
      if (status === 409) {
        // Signed up a moment ago, by a second signup that ought to be refused: a worker is at it.
        await onboarded(tenant, { seconds: SETTLING_SECONDS });
        ({ status } = await deleteIt());
      }
      return status === 202 ? [] : [`the deletion of the test tenant got ${status}, not 202`];
    } catch (error) {
      return [messageOf(error)];
    }
  };
  return (await Promise.all(tenants.map(deleted))).flat();
}

/**
 * Deletes the tenants that `run` made, however it ends; what stays is a problem more.
 *
 * @param run is given a list, and adds each tenant that it makes
 */
export async function deletingTenants(run: (made: TestTenant[]) => Promise<Finding>): Promise<Finding> {
  const made: TestTenant[] = [];
  try {
    const finding = await run(made);
    return { ...finding, problems: [...finding.problems, ...(await deleteTenants(made.splice(0)))] };
  } finally {
    await deleteTenants(made);
  }
}

/**
 * Signs tenants up, one for each plan, gives them to `run`, and deletes them.
 *
 * @throws Error saying how far a signup came.
 * @example await withTenants(url, ['starter', 'pro'], async ([first, second]) => ({ problems: [], evidence: [] }));
 */
export function withTenants(
  url: string,
  plans: readonly PlanName[],
  run: (tenants: readonly TestTenant[]) => Promise<Finding>,
): Promise<Finding> {
  return deletingTenants(async (made) => {
    const signedUp = async (plan: PlanName): Promise<TestTenant> => {
      const { status, tenant } = await signUp(url, newSignup(plan));
      if (!tenant) throw new Error(`a signup got ${status}, not 202 with a tenant and a key`);
      made.push(tenant);
      const { body } = await onboarded(tenant);
      if (body.state !== 'active') throw new Error(`a signup is ${body.state}, not active`);
      return tenant;
    };
    // All are waited for, also where one failed: what was made goes.
    const tenants = await Promise.allSettled(plans.map(signedUp));
    for (const one of tenants) if (one.status === 'rejected') throw one.reason;
    return run(tenants.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  });
}
