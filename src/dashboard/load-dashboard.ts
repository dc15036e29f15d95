/** All panels of one tenant, and proof of which tables they read. */
import type { ClickHouseClient } from '@clickhouse/client';
import { parseInput, tenantId as tenantIdSchema } from '../input.js';
import type { DailyLimits } from '../plans.js';
import { PANELS, type Panel } from './panels.js';

/** One point; money is text, counts and shares are numbers. */
export interface PanelRow {
  readonly at: string;
  readonly series: string;
  readonly value: number | string;
}

export interface LoadedPanel {
  readonly panel: Panel;
  readonly rows: readonly PanelRow[];
}

export interface DashboardRequest {
  readonly tenantId: string;
  /** The instant at which "today" and "the last 24 hours" end. */
  readonly now: Date;
  readonly limits: DailyLimits;
  /** @default PANELS */
  readonly panels?: readonly Panel[];
}

/**
 * Runs every panel's query.
 *
 * @throws InvalidInputError for a malformed tenant id.
 * @example const panels = await loadDashboard(clickhouse, { tenantId: 'acme-corp', now, limits });
 */
export async function loadDashboard(
  clickhouse: ClickHouseClient,
  { panels = PANELS, ...request }: DashboardRequest,
): Promise<LoadedPanel[]> {
  const query_params = parametersOf(request);
  const loaded: LoadedPanel[] = [];
  for (const panel of panels) {
    const result = await clickhouse.query({ query: panel.sql, query_params, format: 'JSONEachRow' });
    loaded.push({ panel, rows: await result.json<PanelRow>() });
  }
  return loaded;
}

/**
 * The tables that a panel's query reads, as the engine resolves it: its text may hide them.
 *
 * @example await tablesRead(clickhouse, PANELS[0], request) // ['usage_hourly']
 */
export async function tablesRead(
  clickhouse: ClickHouseClient,
  panel: Panel,
  request: Omit<DashboardRequest, 'panels'>,
): Promise<string[]> {
  const result = await clickhouse.query({
    query: `EXPLAIN QUERY TREE ${panel.sql}`,
    query_params: parametersOf(request),
    format: 'JSONEachRow',
  });
  const lines = (await result.json<{ explain: string }>()).map(({ explain }) => explain);
  const tables = lines.flatMap(
    (line) => /table(?:_function)?_name: (?:\S+\.)?([^\s.,]+)/.exec(line)?.[1] ?? [],
  );
  return [...new Set(tables)].sort();
}

function parametersOf({ tenantId, now, limits }: Omit<DashboardRequest, 'panels'>) {
  parseInput(tenantIdSchema, 'tenant id', tenantId);
  return { tenantId, now: now.getTime(), queriesPerDay: limits.queries };
}
