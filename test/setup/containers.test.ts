import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readConfig } from '../../src/config.js';
import { grafanaDashboard } from '../../src/dashboard/grafana-dashboard.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
/** Our YAML files are JSON under lines of comment, which YAML allows. */
const readYaml = (file: string): unknown => JSON.parse(read(file).replaceAll(/^#.*$/gm, ''));

const service = z.strictObject({
  image: z.string(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  ulimits: z.strictObject({ nofile: z.int() }).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  healthcheck: z
    .strictObject({ test: z.array(z.string()), interval: z.string(), retries: z.int() })
    .optional(),
});
const compose = z
  .strictObject({
    name: z.string(),
    services: z.record(z.enum(['workspace', 'clickhouse', 'redis', 'grafana']), service),
    volumes: z.record(z.string(), z.strictObject({})),
  })
  .parse(readYaml('.devcontainer/compose.yml'));
const { services } = compose;
const each = Object.entries(services);
const workflow = read('.github/workflows/ci.yml');

/** Names that the kit reads, as the examples and config.ts have them. */
const KNOWN = new Set(
  `${read('.env.example')}${read('src/config.ts')}`.match(/\b[A-Z]+(?:_[A-Z]+)+\b|\bOFFLINE\b/g),
);

describe('.devcontainer/compose.yml', () => {
  it.each(each)('pins the image of %s to a version', (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+[\w.-]*$/);
  });

  it.each(each)('mounts and waits for what is there, in %s', (_, { volumes, depends_on }) => {
    for (const mount of volumes) {
      const [from = ''] = mount.split(':');
      const isThere = from.startsWith('.')
        ? existsSync(resolve(root, '.devcontainer', from))
        : from in compose.volumes;
      expect(isThere, mount).toBe(true);
    }
    for (const other of Object.keys(depends_on)) expect(services).toHaveProperty(`${other}.healthcheck`);
  });

  it.each(each)('is reached from this machine alone, with passwords that say so: %s', (_, one) => {
    for (const port of one.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    const secrets = Object.entries(one.environment).filter(([name]) => /PASSWORD|SECRET|KEY/.test(name));
    for (const [, value] of secrets) expect(value).toBe('local-default');
  });

  it('sets what the kit reads, and so uses both servers', () => {
    const { environment } = services.workspace;
    expect(Object.keys(environment).filter((name) => !KNOWN.has(name))).toEqual([]);
    const { clickhouse, redis, offline } = readConfig(environment);
    expect(clickhouse).toMatchObject({ setting: 'CLICKHOUSE_URL' });
    expect(redis).toMatchObject({ setting: 'REDIS_URL' });
    expect([hostOf(clickhouse), hostOf(redis), offline]).toEqual(['clickhouse', 'redis', false]);
    expect(environment.CLICKHOUSE_PASSWORD).toBe(services.clickhouse.environment.CLICKHOUSE_PASSWORD);
  });
});

const hostOf = (endpoint: ReturnType<typeof readConfig>['redis']) =>
  endpoint && 'url' in endpoint ? endpoint.url.hostname : endpoint;

describe('.devcontainer/devcontainer.json', () => {
  const container = JSON.parse(read('.devcontainer/devcontainer.json')) as Record<string, string>;

  it('opens the workspace of the compose file, where the project is mounted', () => {
    const { dockerComposeFile = '', service: name, workspaceFolder } = container;
    expect(existsSync(join(root, '.devcontainer', dockerComposeFile))).toBe(true);
    expect(name).toBe('workspace');
    expect(services.workspace.volumes).toContain(`..:${workspaceFolder}`);
  });

  it('is set up by scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const names = [...(container.postCreateCommand ?? '').matchAll(/npm run (\S+)/g)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(scripts).toHaveProperty(String(name));
  });
});

describe('.grafana/provisioning', () => {
  const source = z
    .looseObject({ type: z.string(), jsonData: z.looseObject({ host: z.string(), username: z.string() }) })
    .parse((readYaml('.grafana/provisioning/datasources/clickhouse.yml') as Provisioned).datasources[0]);
  const grafana = services.grafana;

  it('has the source that the dashboard asks for, in the version that the container installs', () => {
    const plugin = grafanaDashboard().__requires.find(({ type }) => type === 'datasource');
    expect(source.type).toBe(plugin?.id);
    expect(grafana.environment.GF_PLUGINS_PREINSTALL_SYNC).toBe(`${plugin?.id}@${plugin?.version}`);
  });

  it('asks the compose file’s ClickHouse, by the user who can only read', () => {
    expect(Object.keys(services)).toContain(source.jsonData.host);
    const user = read('.devcontainer/grafana-user.xml');
    expect(user).toContain(`<${source.jsonData.username}>\n      <password>local-default</password>`);
    expect(user).toContain('<readonly>2</readonly>');
    expect(read('.grafana/provisioning/datasources/clickhouse.yml')).toContain('"password": "local-default"');
    expect(services.clickhouse.volumes.join()).toContain('grafana-user.xml:/etc/clickhouse-server/users.d/');
  });

  it('finds the dashboards where the container mounts them', () => {
    const { providers } = readYaml('.grafana/provisioning/dashboards/meterbridge.yml') as Provisioned;
    const mount = grafana.volumes.find((one) => one.includes(`:${providers[0]?.options.path}:`)) ?? '';
    expect(resolve(root, '.devcontainer', mount.split(':')[0] ?? '')).toBe(join(root, '.grafana/dashboards'));
    expect(dirname(mount.split(':')[0] ?? '')).toBe('../.grafana');
  });
});

interface Provisioned {
  readonly datasources: readonly unknown[];
  readonly providers: readonly { options: { path: string } }[];
}

describe('.github/workflows/ci.yml', () => {
  const all = (pattern: RegExp) => [...workflow.matchAll(pattern)].map(([, found = '']) => found);

  it('runs on Node 20, 22 and 24, on Linux and macOS', () => {
    expect(workflow).toContain('os: [ubuntu-latest, macos-latest]');
    expect(workflow).toContain('node: [20, 22, 24]');
  });

  it('pins its actions to a commit', () => {
    const actions = all(/uses: (\S+)/g);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it('has the servers of the compose file, and sets what the kit reads', () => {
    expect(all(/image: (\S+)/g)).toEqual([services.clickhouse.image, services.redis.image]);
    const names = all(/^ +([A-Z][A-Z_]+): /gm);
    expect(names).toContain('CLICKHOUSE_URL');
    expect(names.filter((name) => !KNOWN.has(name))).toEqual([]);
  });

  it('runs tests that are there', () => {
    const [patterns = ''] = all(/npm test -- (.+)$/gm);
    for (const pattern of patterns.split(' ')) {
      expect(existsSync(join(root, pattern)) || existsSync(join(root, `${pattern}.test.ts`)), pattern).toBe(
        true,
      );
    }
  });
});
