import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { apart, Config, onboardingService, readConfig } from '../src/config.js';
import { ConfigError } from '../src/errors.js';
import { runNodeProgram } from './support/run-program.js';

const urlOf = (endpoint: Config['redis']) => (endpoint && 'url' in endpoint ? endpoint.url.href : endpoint);

describe('readConfig()', () => {
  it('needs nothing', () => {
    expect(readConfig({})).toEqual({ offline: false, clickhouseDatabase: 'analytics', searchPath: '' });
  });

  it.each([
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['yes', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['', false],
  ])('reads OFFLINE=%s', (OFFLINE, offline) => {
    expect(readConfig({ OFFLINE }).offline).toBe(offline);
  });

  it.each([
    [{ OFFLINE: 'maybe' }, 'Cannot use OFFLINE: need true or false, current value is "maybe"'],
    [{ OFFLINE: ' true' }, 'Cannot use OFFLINE: need true or false, current value is " true"'],
    [{ MB_EVENTS: '1e6' }, 'Cannot use MB_EVENTS: need a whole number, current value is "1e6"'],
    [{ MB_EVENTS: '-5' }, 'Cannot use MB_EVENTS: need a whole number, current value is "-5"'],
    [{ MB_EVENTS: '1,000' }, 'Cannot use MB_EVENTS: need a whole number, current value is "1,000"'],
    [{ CLICKHOUSE_DB: 'a-b' }, 'Cannot use CLICKHOUSE_DB: need a plain name, current value is "a-b"'],
    [{ CLICKHOUSE_DB: 'a; DROP' }, 'Cannot use CLICKHOUSE_DB: need a plain name, current value is "a; DROP"'],
    [{ CLICKHOUSE_DB: '1x' }, 'Cannot use CLICKHOUSE_DB: need a plain name, current value is "1x"'],
  ])('refuses %o', (environment, sentence) => {
    expect(() => readConfig(environment)).toThrow(ConfigError);
    expect(() => readConfig(environment)).toThrow(sentence);
  });

  it('reads sizes and names', () => {
    const config = readConfig({ MB_EVENTS: '105000', CLICKHOUSE_DB: '_Metering2', PATH: '/bin' });
    expect([config.sampleEvents, config.clickhouseDatabase, config.searchPath]).toEqual([
      105_000,
      '_Metering2',
      '/bin',
    ]);
  });

  it.each([
    [{ REDIS_URL: 'redis://h:1/2' }, 'redis://h:1/2'],
    [{ REDIS_URL: 'rediss://h:1' }, 'rediss://h:1'],
    [{ REDIS_HOST: 'h' }, 'redis://h:6379'],
    [{ REDIS_HOST: 'h:1' }, 'redis://h:1'],
    [{ REDIS_HOST: '[::1]:1' }, 'redis://[::1]:1'],
    [{ REDIS_URL: 'redis://a:1', REDIS_HOST: 'b' }, 'redis://a:1'],
    [{ REDIS_URL: '', REDIS_HOST: 'b' }, 'redis://b:6379'],
  ])('finds Redis in %o', (environment, href) => {
    expect(urlOf(readConfig(environment).redis)).toBe(href);
  });

  it.each([
    [{ CLICKHOUSE_URL: 'https://h:8443' }, 'https://h:8443/'],
    [{ CLICKHOUSE_HOST: 'h' }, 'http://h:8123/'],
    [{ CLICKHOUSE_HOST: 'h:80' }, 'http://h/'],
    [{ CLICKHOUSE_HOST: 'h:9/clickhouse' }, 'http://h:9/clickhouse'],
    [
      { CLICKHOUSE_HOST: 'h', CLICKHOUSE_USER: 'me@us', CLICKHOUSE_PASSWORD: 'p:/?' },
      'http://me%40us:p%3A%2F%3F@h:8123/',
    ],
    [
      { CLICKHOUSE_URL: 'http://me:in@h:1', CLICKHOUSE_USER: 'x', CLICKHOUSE_PASSWORD: 'y' },
      'http://me:in@h:1/',
    ],
  ])('finds ClickHouse in %o', (environment, href) => {
    expect(urlOf(readConfig(environment).clickhouse)).toBe(href);
  });

  it('finds the onboarding API, which is a service unless all are off', () => {
    const api = (environment: Record<string, string>) => onboardingService(readConfig(environment));
    expect(api({})).toBeUndefined();
    expect(api({ ONBOARDING_API_URL: 'https://h/v1' })).toEqual({
      mode: 'configured',
      client: { url: 'https://h/v1' },
      address: 'https://h',
    });
    expect(api({ ONBOARDING_API_URL: 'https://h', OFFLINE: 'true' })).toEqual({
      mode: 'off',
      skip: 'OFFLINE=true',
    });
    expect(api({ ONBOARDING_API_URL: 'ftp://h' })).toMatchObject({
      mode: 'off',
      skip: 'Cannot use ONBOARDING_API_URL: need http://host:port or https://host:port',
    });
  });

  it('keeps what must not meet a running server apart from its database and its Redis', () => {
    const config = apart(
      readConfig({ REDIS_URL: 'redis://h', CLICKHOUSE_URL: 'http://h', CLICKHOUSE_DB: 'live' }),
    );
    expect([config.redis, config.clickhouseDatabase, urlOf(config.clickhouse)]).toEqual([
      undefined,
      'live_readiness',
      'http://h/',
    ]);
  });

  it.each([
    [{ REDIS_URL: 'http://:pw@h' }, 'Cannot use REDIS_URL: need redis://host:port or rediss://host:port'],
    [{ REDIS_HOST: 'redis://' }, 'Cannot use REDIS_HOST: need redis://host:port or rediss://host:port'],
    [{ REDIS_HOST: 'h:port' }, 'Cannot use REDIS_HOST: need redis://host:port or rediss://host:port'],
  ])('keeps %o as an error that repeats no value', (environment, sentence) => {
    expect(readConfig(environment).redis).toMatchObject({ name: 'ConfigError', message: sentence });
  });

  it.each(['ftp://h', 'http://', 'h h', 'clickhouse://h'])('keeps CLICKHOUSE_URL=%s as an error', (url) => {
    expect(readConfig({ CLICKHOUSE_URL: url }).clickhouse).toMatchObject({
      message: 'Cannot use CLICKHOUSE_URL: need http://host:port or https://host:port',
    });
  });

  it('finds a key of a Stripe sandbox, by either name', () => {
    expect(readConfig({ STRIPE_SECRET_KEY: 'sk_test_a1' }).stripe).toEqual({
      setting: 'STRIPE_SECRET_KEY',
      key: 'sk_test_a1',
    });
    const both = { STRIPE_API_KEY: 'sk_test_a', STRIPE_SECRET_KEY: 'sk_test_b', STRIPE_WEBHOOK_SECRET: 'w' };
    const config = readConfig({ ...both, STRIPE_URL: 'http://127.0.0.1:12111' });
    expect(config).toMatchObject({ stripe: { setting: 'STRIPE_API_KEY', key: 'sk_test_a' } });
    expect(config).toMatchObject({ stripe: { url: { port: '12111' } }, stripeWebhookSecret: 'w' });
  });

  it.each(['sk_live_51abc', 'rk_live_51abc', 'sk_test', 'pk_test_51abc', 'sk_test_51abc d'])(
    'keeps the key %s as an error that does not repeat it',
    (key) => {
      const { stripe } = readConfig({ STRIPE_API_KEY: key });
      expect(stripe).toMatchObject({
        message: expect.stringMatching(/^Cannot use STRIPE_API_KEY: .*sk_test_…$/),
      });
      expect(String(stripe)).not.toContain('51abc');
    },
  );

  it('prints what each service will be, and no secret', () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    onTestFinished(() => log.mockRestore());
    const environment = { REDIS_URL: 'redis://:hidden@h:1', STRIPE_API_KEY: 'sk_live_hidden', OFFLINE: '1' };
    Config.printConfigStatus(readConfig(environment));
    expect(log.mock.calls.flat()).toEqual([
      'ClickHouse  the engine in this process (CLICKHOUSE_URL is not set)',
      'Redis       from REDIS_URL',
      'Stripe      Cannot use STRIPE_API_KEY: a live key charges real cards; need sk_test_…',
      'OFFLINE=true: all of them are off',
    ]);
    expect(Config.isStripeConfigured(readConfig(environment))).toBe(false);
    expect(Config.isStripeConfigured(readConfig({ STRIPE_API_KEY: 'sk_test_a' }))).toBe(true);
  });

  it('reads .env in the folder, and lets the environment win', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, '.env'), 'MB_EVENTS=111\nCLICKHOUSE_DB=from_file\n');
    const built = fileURLToPath(new URL('../.build/config.js', import.meta.url));
    const script = `process.chdir(${JSON.stringify(folder)});
      const { sampleEvents, clickhouseDatabase } = (await import(${JSON.stringify(built)})).readConfig();
      console.log(sampleEvents, clickhouseDatabase);`;
    const { printed } = await runNodeProgram(['--input-type=module', '-e', script], { MB_EVENTS: '222' });
    expect(printed).toBe('222 from_file\n');
  });
});
