import type { Service } from '../service.js';

/** What a cell says while its service is off. */
export interface WithServiceOptions {
  /** What the cell prints when the service is on, a line each. @default none */
  readonly expected?: string | readonly string[];
}

/**
 * Runs a cell's work if its service is on; if not, says why and what would be seen, and the notebook goes on.
 * Gives what `run` gives, or undefined. Errors of `run` pass through.
 *
 * @example
 * const key = await withService(services.redis, (redis) => redis.get('quota:acme-corp'), { expected: '28450' });
 */
export async function withService<Client, Result>(
  service: Service<Client>,
  run: (client: Client) => Result | PromiseLike<Result>,
  options: WithServiceOptions = {},
): Promise<Result | undefined> {
  const { expected = [] } = options;
  if (service.mode !== 'off') return await run(service.client);
  const lines = typeof expected === 'string' ? expected.split('\n') : expected;
  console.log([`⚠️  Skipping (${service.skip})`, ...lines.map((line) => `  expected: ${line}`)].join('\n'));
  return undefined;
}
