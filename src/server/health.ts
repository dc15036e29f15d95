/** How the service is: what it stands on, and what somebody should look at. */
import { OFFLINE } from '../service.js';
import type { AppOptions } from './app.js';
import { FALLBACK_ALERT_BYTES } from './metrics.js';

/** `degraded` where something does not work that should; the warnings say why. */
export async function healthOf({
  clickhouse,
  gate,
  tracker,
}: Pick<AppOptions, 'clickhouse' | 'gate' | 'tracker'>) {
  const answers = (ping: Promise<unknown>) =>
    ping.then(
      () => true,
      () => false,
    );
  const stored =
    clickhouse.mode === 'off' || (await answers(clickhouse.client.command({ query: 'SELECT 1' })));
  const gated = await answers(gate.ping());
  const { buffered, fallbackBytes, diskError } = tracker.stats();
  // Off for another reason than on purpose: what was configured, or belongs to this machine, does not work.
  const missing = clickhouse.mode === 'off' && clickhouse.skip !== OFFLINE ? [clickhouse.skip] : [];
  const warnings = [
    ...missing,
    ...(diskError === undefined ? [] : [`the fallback file cannot be written: ${diskError}`]),
    ...(fallbackBytes >= FALLBACK_ALERT_BYTES ? [`the fallback file has ${fallbackBytes} bytes`] : []),
  ];
  const isOk = stored && gated && missing.length === 0 && diskError === undefined;
  return {
    status: isOk ? ('ok' as const) : ('degraded' as const),
    clickhouse: stored ? clickhouse.mode : 'unreachable',
    quota_gate: gated ? gate.mode : 'unreachable',
    tracker: { buffered, fallback_bytes: fallbackBytes },
    warnings,
  };
}
