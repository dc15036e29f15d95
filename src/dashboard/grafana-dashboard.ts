/**
 * The panels as a dashboard that Grafana imports: Dashboards → New → Import. `npm run grafana` writes it,
 * and the containers of .devcontainer/ have it from the start.
 */
import { SAMPLE_MONTH } from '../metering/sample-month.js';
import { drawingOf } from './grafana-drawing.js';
import { grafanaQuery, TENANTS_QUERY, variable } from './grafana-query.js';
import { PANELS, type Panel } from './panels.js';

/** The version whose `rawSql` and formats these are; the containers have it too. */
const CLICKHOUSE = { id: 'grafana-clickhouse-datasource', name: 'ClickHouse', version: '4.21.2' } as const;

/** Panel plugins, which come with Grafana. */
const KINDS: Record<Panel['kind'], { type: string; name: string }> = {
  bars: { type: 'barchart', name: 'Bar chart' },
  line: { type: 'timeseries', name: 'Time series' },
  gauge: { type: 'gauge', name: 'Gauge' },
};

/** What an import asks for. */
const INPUT = 'DS_CLICKHOUSE';

/** The ClickHouse that is chosen on the dashboard; an import sets it, elsewhere it is the first there is. */
const SOURCE = { type: CLICKHOUSE.id, uid: variable('datasource') } as const;

export type GrafanaDashboard = ReturnType<typeof grafanaDashboard>;

/**
 * Grafana's dashboard JSON (the classic model, schema version 41), with one panel for each of ours.
 *
 * @example JSON.stringify(grafanaDashboard(PANELS), undefined, 2)
 */
export function grafanaDashboard(panels: readonly Panel[] = PANELS) {
  const kinds = Object.values(KINDS).filter(({ type }) =>
    panels.some(({ kind }) => KINDS[kind].type === type),
  );
  return {
    __inputs: [
      {
        name: INPUT,
        label: CLICKHOUSE.name,
        description: 'The database in which the usage tables are',
        type: 'datasource',
        pluginId: CLICKHOUSE.id,
        pluginName: CLICKHOUSE.name,
      },
    ],
    __requires: [
      { type: 'grafana', id: 'grafana', name: 'Grafana', version: '11.6.0' },
      { type: 'datasource', ...CLICKHOUSE },
      ...kinds.map(({ type, name }) => ({ type: 'panel', id: type, name, version: '' })),
    ],
    id: null,
    uid: 'meterbridge',
    title: 'Usage of a tenant',
    description: 'What a tenant used and what it cost, from the rollups. "Now" is the end of the time range.',
    tags: ['meterbridge'],
    schemaVersion: 41,
    editable: true,
    graphTooltip: 0,
    timezone: 'utc',
    time: { from: 'now-30d', to: 'now' },
    links: [sampleMonthLink()],
    annotations: { list: [] },
    templating: { list: [sourceVariable(), tenantVariable()] },
    panels: panels.map(grafanaPanel),
  };
}

/** The sample lies in the past, where a time range that ends now shows nothing. */
const sampleMonthLink = () => ({
  title: `The sample month, ${SAMPLE_MONTH.name}`,
  type: 'link',
  icon: 'external link',
  tooltip: '',
  url: `/d/meterbridge?from=${SAMPLE_MONTH.start.getTime()}&to=${SAMPLE_MONTH.end.getTime() - 1}`,
  tags: [],
  asDropdown: false,
  targetBlank: false,
  includeVars: true,
  keepTime: false,
});

const sourceVariable = () => ({
  type: 'datasource',
  name: 'datasource',
  label: 'Database',
  query: CLICKHOUSE.id,
  current: { text: '', value: variable(INPUT) },
  multi: false,
  includeAll: false,
  hide: 0,
});

const tenantVariable = () => ({
  type: 'query',
  name: 'tenant',
  label: 'Tenant',
  datasource: SOURCE,
  query: { refId: 'tenant', queryType: 'sql', rawSql: TENANTS_QUERY },
  // Looked up whenever the dashboard is opened.
  refresh: 1,
  multi: false,
  includeAll: false,
  hide: 0,
});

const COLUMNS = 2;
const SIZE = { w: 24 / COLUMNS, h: 9 };

function grafanaPanel(panel: Panel, index: number) {
  const [column, row] = [index % COLUMNS, Math.floor(index / COLUMNS)];
  return {
    id: index + 1,
    type: KINDS[panel.kind].type,
    title: panel.title,
    datasource: SOURCE,
    gridPos: { x: column * SIZE.w, y: row * SIZE.h, ...SIZE },
    ...(panel.span && { timeFrom: panel.span, hideTimeOverride: true }),
    targets: [
      {
        refId: 'A',
        datasource: SOURCE,
        pluginVersion: CLICKHOUSE.version,
        editorType: 'sql',
        // The plugin's number for time series: one for each value of `series`.
        format: 0,
        rawSql: grafanaQuery(panel),
      },
    ],
    ...drawingOf(panel),
  };
}
