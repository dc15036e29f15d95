/** Companies that sign up while the load goes on, so that workers have something at hand when they are killed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type SignupAnswer, type StatusAnswer, signupOf } from '../support/onboarding.js';

/**
 * Posts so many signups, evenly over a time. One that is refused while Redis is away is given up.
 *
 * @returns those that were accepted
 */
export async function signUpMeanwhile(
  url: string,
  { count, seconds }: { count: number; seconds: number },
): Promise<SignupAnswer[]> {
  const begun = performance.now();
  const answers: SignupAnswer[] = [];
  for (let number = 1; number <= count; number += 1) {
    const response = await fetch(`${url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(signupOf(`Newcomer ${number}`)),
    });
    if (response.status === 202) answers.push((await response.json()) as SignupAnswer);
    await sleep(Math.max(0, begun + ((number * seconds) / count) * 1_000 - performance.now()));
  }
  return answers;
}

/** Longest wait: what a killed worker had at hand is another's after half a minute, what Redis lost after one. */
const DONE_MS = 120_000;

/** The state of each, once all are active or the time is over. */
export async function statesOf(
  url: string,
  signups: readonly SignupAnswer[],
): Promise<{ tenantId: string; state: string }[]> {
  const deadline = Date.now() + DONE_MS;
  for (;;) {
    const states: { tenantId: string; state: string }[] = [];
    for (const { tenant_id: tenantId, status_url, api_key } of signups) {
      const response = await fetch(`${url}${status_url}`, {
        headers: { authorization: `Bearer ${api_key}` },
      });
      states.push({ tenantId, state: ((await response.json()) as StatusAnswer).state });
    }
    if (states.every(({ state }) => state === 'active') || Date.now() > deadline) return states;
    await sleep(500);
  }
}
