/** What a run works with, in rows for a table or a terminal. */
import type { Services } from './open-services.js';

/**
 * One row for each service; `reason` says why it is off.
 *
 * @example table(describeServices(services));
 */
export function describeServices({
  clickhouse,
  redis,
  stripe,
}: Pick<Services, 'clickhouse' | 'redis' | 'stripe'>): { service: string; mode: string; reason: string }[] {
  return [
    { service: 'ClickHouse', state: clickhouse },
    { service: 'Redis', state: redis },
    { service: 'Stripe', state: stripe },
  ].map(({ service, state }) => ({
    service,
    mode: state.mode,
    reason: state.mode === 'off' ? state.skip : '',
  }));
}

/** @example serviceLine({ service: 'Redis', mode: 'off', reason: 'OFFLINE=true' }) // 'Redis: off (OFFLINE=true)' */
export const serviceLine = ({ service, mode, reason }: ReturnType<typeof describeServices>[number]): string =>
  `${service}: ${mode}${reason ? ` (${reason})` : ''}`;
