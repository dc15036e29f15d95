/** The bridge M12.4 → M13.1: are the four systems of the module ready to be one? */
import type { Service } from '../service.js';
import type { Report } from './check.js';
import { checkLifecycle } from './lifecycle-transitions.js';
import type { Platform } from './platform.js';
import { checkOnboarding } from './self-service-onboarding.js';
import { checkStripeBilling } from './stripe-billing.js';
import { checkUsageMetering } from './usage-metering.js';

/**
 * The four checks, one after the other. The second lets a month pass on the platform's clock.
 *
 * @param onboarding where signups go, if not to the platform
 * @example const report = await checkLifecycleToIntegration({ platform: platform.service });
 */
export async function checkLifecycleToIntegration({
  platform,
  onboarding = platform,
}: {
  platform: Service<Platform>;
  onboarding?: Service<{ readonly url: string }> | undefined;
}): Promise<Report> {
  return {
    bridge: 'm12.4-m13.1',
    results: [
      await checkUsageMetering(platform),
      await checkStripeBilling(platform),
      await checkOnboarding(onboarding),
      await checkLifecycle(platform),
    ],
  };
}
