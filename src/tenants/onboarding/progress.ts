/**
 * How far each onboarding is, for those who look. It decides nothing and may be lost: the steps are then
 * done again, and write it anew.
 */
import type { Redis } from 'ioredis';
import { ioredisOf } from '../../ioredis-of.js';
import type { RedisClient } from '../../redis-client.js';
import { STEPS, type Step } from './steps.js';

export interface StepState {
  readonly name: Step;
  readonly state: 'waiting' | 'running' | 'done' | 'failed';
  /** Why it failed for good. */
  readonly reason?: string;
}

const keyOf = (tenantId: string) => `meterbridge:onboarding:{${tenantId}}`;

/** @example await new OnboardingProgress(redis).of('acme-corp') // [{ name: 'customer', state: 'done' }, …] */
export class OnboardingProgress {
  readonly #redis: Redis;

  constructor(client: RedisClient) {
    this.#redis = ioredisOf(client);
  }

  async of(tenantId: string): Promise<StepState[]> {
    const known = await this.#redis.hgetall(keyOf(tenantId));
    return STEPS.map((name) => {
      const [state = 'waiting', reason] = (known[name] ?? 'waiting').split(':');
      return { name, state: state as StepState['state'], ...(reason && { reason }) };
    });
  }

  async set(tenantId: string, step: Step, state: 'running' | 'done'): Promise<void> {
    await this.#redis.hset(keyOf(tenantId), { [step]: state });
  }

  /** It ended here, and what costs something was taken back; customer and card stay. */
  async fail(tenantId: string, step: Step, reason: string): Promise<void> {
    const before = await this.of(tenantId);
    const stays = before.filter(({ name, state }) => ['customer', 'card'].includes(name) && state === 'done');
    await this.clear(tenantId);
    const done = Object.fromEntries(stays.map(({ name }) => [name, 'done']));
    await this.#redis.hset(keyOf(tenantId), { ...done, [step]: `failed:${reason}` });
  }

  async clear(tenantId: string): Promise<void> {
    await this.#redis.del(keyOf(tenantId));
  }
}
