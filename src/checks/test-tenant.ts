/** A tenant of a check's own: it signs up over HTTP like any other, and is deleted at the end. */
import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { PlanName } from '../plans.js';

/** What came back over HTTP. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

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

/** A body that is no JSON object comes back as an empty one. */
async function call(
  url: string,
  method: string,
  path: string,
  { key, body }: { key?: string; body?: object | undefined } = {},
): Promise<Reply> {
  const response = await fetch(new URL(path, url), {
    method,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const { status, headers } = response;
  const text = await response.text();
  try {
    return { status, headers, body: Object(JSON.parse(text)) };
  } catch {
    return { status, headers, body: {} };
  }
}

/**
 * Signs up, and does not wait.
 *
 * @returns no tenant where the answer is not 202 with an id and a key
 * @example
 * const card = { plan: 'pro', payment_method: 'pm_card_visa' } as const;
 * const { status } = await signUp(server.url, { company: 'new-ltd', email: 'a@example.com', ...card });
 */
export async function signUp(url: string, signup: Signup): Promise<{ status: number; tenant?: TestTenant }> {
  const { status, body } = await call(url, 'POST', '/signup', { body: signup });
  const { tenant_id: tenantId, api_key: key } = body;
  if (status !== 202 || typeof tenantId !== 'string' || typeof key !== 'string') return { status };
  const send: TestTenant['call'] = (method, path, body) => call(url, method, path, { key, body });
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
export const stepsIn = ({ body }: Reply): Step[] => (Array.isArray(body.steps) ? body.steps : []);
const failedStep = (reply: Reply) => stepsIn(reply).find(({ state }) => state === 'failed');

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
    const isOver = reply.status !== 200 || reply.body.state === 'active' || failedStep(reply) !== undefined;
    if (isOver || performance.now() >= end) return reply;
    await setTimeout(LOOK_MS);
  }
}

/**
 * Signs tenants up, one for each plan, gives them to `run`, and deletes them.
 *
 * @throws Error saying how far a signup came.
 * @example await withTenants(url, ['starter', 'pro'], ([first, second]) => first.ask('What is a meter?'));
 */
export async function withTenants<Result>(
  url: string,
  plans: readonly PlanName[],
  run: (tenants: readonly TestTenant[]) => Promise<Result>,
): Promise<Result> {
  const made: TestTenant[] = [];
  const signedUp = async (plan: PlanName): Promise<TestTenant> => {
    const { status, tenant } = await signUp(url, newSignup(plan));
    if (!tenant) throw new Error(`a signup got ${status}, not 202 with a tenant and a key`);
    made.push(tenant);
    const { body } = await onboarded(tenant);
    if (body.state !== 'active') throw new Error(`a signup is ${body.state}, not active`);
    return tenant;
  };
  try {
    // All are waited for, also where one failed: what was made goes.
    const tenants = await Promise.allSettled(plans.map(signedUp));
    for (const one of tenants) if (one.status === 'rejected') throw one.reason;
    return await run(tenants.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
  } finally {
    await Promise.all(made.map(({ tenantId, call }) => call('DELETE', `/api/tenants/${tenantId}`)));
  }
}
