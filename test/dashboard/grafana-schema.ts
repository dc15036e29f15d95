/**
 * What Grafana demands of a dashboard in the classic model, as far as the export uses it. Written after the
 * documented model and the schema from which Grafana makes its own types:
 * https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
 * https://github.com/grafana/grafana/blob/main/kinds/dashboard/dashboard_kind.cue
 * Stricter where that schema is open: a member that is not listed here is an error.
 */
import { z } from 'zod';

const source = z.strictObject({
  type: z.literal('grafana-clickhouse-datasource'),
  uid: z.literal(`\${datasource}`),
});

const count = z.int().min(0);
const flag = z.union([z.literal(0), z.literal(1), z.literal(2)]);

const gridPos = z
  .strictObject({ x: count.max(23), y: count, w: count.min(1).max(24), h: count.min(1) })
  .refine(({ x, w }) => x + w <= 24, 'the grid has 24 columns');

/** Sorted by value; the first step is minus infinity, which JSON writes as null. */
const thresholds = z.strictObject({
  mode: z.enum(['absolute', 'percentage']),
  steps: z
    .tuple([z.strictObject({ color: z.string(), value: z.null() })])
    .rest(z.strictObject({ color: z.string(), value: z.number() }))
    .refine(
      ([, ...steps]) => steps.every(({ value }, index) => value > (steps[index - 1]?.value ?? -Infinity)),
      'steps must rise',
    ),
});

const target = z.strictObject({
  refId: z.string().regex(/^[A-Z]$/),
  datasource: source,
  pluginVersion: z.string(),
  editorType: z.enum(['sql', 'builder']),
  // Time series, table, logs, traces.
  format: count.max(3),
  rawSql: z.string().min(1),
});

const legend = z.strictObject({
  showLegend: z.boolean(),
  displayMode: z.enum(['list', 'table', 'hidden']),
  placement: z.enum(['bottom', 'right']),
  calcs: z.array(z.string()),
});
const tooltip = z.strictObject({
  mode: z.enum(['single', 'multi', 'none']),
  sort: z.enum(['asc', 'desc', 'none']),
});
const share = z.number().min(0).max(1);

const OPTIONS = {
  timeseries: z.strictObject({ legend, tooltip }),
  barchart: z.strictObject({
    legend,
    tooltip,
    orientation: z.enum(['auto', 'vertical', 'horizontal']),
    stacking: z.enum(['none', 'normal', 'percent']),
    showValue: z.enum(['auto', 'never', 'always']),
    xTickLabelSpacing: z.int(),
    barWidth: share,
    groupWidth: share,
    fullHighlight: z.boolean(),
  }),
  gauge: z.strictObject({
    reduceOptions: z.strictObject({ calcs: z.array(z.string()), fields: z.string(), values: z.boolean() }),
    showThresholdLabels: z.boolean(),
    showThresholdMarkers: z.boolean(),
  }),
} as const;

const fieldConfig = z.strictObject({
  defaults: z.strictObject({
    unit: z.string().regex(/^(percent|currencyUSD|suffix: \S.*)$/),
    displayName: z.string(),
    min: z.number().optional(),
    max: z.number().optional(),
    color: z.strictObject({ mode: z.literal('thresholds') }).optional(),
    thresholds: thresholds.optional(),
    custom: z.strictObject({ axisLabel: z.string(), lineWidth: count.optional() }).optional(),
  }),
  overrides: z.array(z.never()),
});

const panel = <Type extends keyof typeof OPTIONS>(type: Type) =>
  z.strictObject({
    id: count.min(1),
    type: z.literal(type),
    title: z.string().min(1),
    datasource: source,
    gridPos,
    timeFrom: z
      .string()
      .regex(/^(\d+[smhdwMy]|now\/d)$/)
      .optional(),
    hideTimeOverride: z.boolean().optional(),
    targets: z.array(target).min(1),
    fieldConfig,
    options: OPTIONS[type],
  });

const variables = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('datasource'),
    name: z.literal('datasource'),
    label: z.string(),
    query: source.shape.type,
    current: z.strictObject({ text: z.string(), value: z.string() }),
    multi: z.boolean(),
    includeAll: z.boolean(),
    hide: flag,
  }),
  z.strictObject({
    type: z.literal('query'),
    name: z.string().regex(/^\w+$/),
    label: z.string(),
    datasource: source,
    query: z.strictObject({ refId: z.string(), queryType: z.literal('sql'), rawSql: z.string().min(1) }),
    refresh: flag,
    multi: z.boolean(),
    includeAll: z.boolean(),
    hide: flag,
  }),
]);

const link = z.strictObject({
  title: z.string(),
  type: z.enum(['link', 'dashboards']),
  icon: z.string(),
  tooltip: z.string(),
  url: z.string(),
  tags: z.array(z.string()),
  asDropdown: z.boolean(),
  targetBlank: z.boolean(),
  includeVars: z.boolean(),
  keepTime: z.boolean(),
});

const panels = z
  .array(z.discriminatedUnion('type', [panel('timeseries'), panel('barchart'), panel('gauge')]))
  .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'panel ids must differ');

export const grafanaSchema = z.strictObject({
  __inputs: z.array(
    z.strictObject({
      name: z.string().regex(/^\w+$/),
      label: z.string(),
      description: z.string(),
      type: z.literal('datasource'),
      pluginId: source.shape.type,
      pluginName: z.string(),
    }),
  ),
  __requires: z.array(
    z.strictObject({
      type: z.enum(['grafana', 'datasource', 'panel']),
      id: z.string(),
      name: z.string(),
      version: z.string().regex(/^(\d+\.\d+\.\d+)?$/),
    }),
  ),
  id: z.null(),
  uid: z.string().regex(/^[\w-]{1,40}$/),
  title: z.string().min(1),
  description: z.string(),
  tags: z.array(z.string()),
  schemaVersion: count.min(36),
  editable: z.boolean(),
  graphTooltip: flag,
  timezone: z.literal('utc'),
  time: z.strictObject({ from: z.string().regex(/^now(-\d+[smhdwMy])?$/), to: z.literal('now') }),
  links: z.array(link),
  annotations: z.strictObject({ list: z.array(z.never()) }),
  templating: z.strictObject({ list: z.array(variables) }),
  panels,
});
