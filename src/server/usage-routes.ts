/** `GET /api/tenants/{id}/usage`: what a tenant used, day by day. */
import { readUsage } from '../metering/usage.js';
import { parseDay } from '../period.js';
import type { AppOptions } from './app.js';
import type { TenantApp } from './authenticate.js';
import { problem } from './problem.js';

export function addUsageRoute(app: TenantApp, { clickhouse }: Pick<AppOptions, 'clickhouse'>): void {
  app.get('/api/tenants/:id/usage', async (context) => {
    if (clickhouse.mode === 'off') return problem(503, `Usage is not available: ${clickhouse.skip}`);
    const { tenantId } = context.get('holder');
    const { start_date: startDate = '', end_date: endDate = '' } = context.req.query();
    parseDay(startDate);
    return context.json(await readUsage(clickhouse.client, { tenantId, startDate, endDate }));
  });
}
