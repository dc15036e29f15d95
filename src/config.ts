/**
 * Settings: the one place that reads the environment. A `.env` file in the project's folder
 * counts too; what the environment says wins.
 */
import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { ConfigError } from './errors.js';
import { OFFLINE, type Service } from './service.js';

/** The address of a configured service, and the setting that it came from. */
export interface Endpoint {
  /** e.g. `CLICKHOUSE_URL`, for messages. */
  readonly setting: string;
  readonly url: URL;
}

/** A Stripe sandbox, or a local Stripe by its address. */
export interface StripeAccess {
  /** The setting that the key came from. */
  readonly setting: string;
  /** A key of a sandbox: `sk_test_…`. */
  readonly key: string;
  /** Absent: Stripe itself. */
  readonly url?: URL;
}

export interface Config {
  /** All services off, on purpose. */
  readonly offline: boolean;
  /** Absent: the embedded engine. An error: a setting that makes no sense, so that the service is off. */
  readonly clickhouse?: Endpoint | ConfigError;
  readonly clickhouseDatabase: string;
  /** Absent: a private server. */
  readonly redis?: Endpoint | ConfigError;
  /** Absent: the local Stripe, in the process. */
  readonly stripe?: StripeAccess | ConfigError;
  /** Secret of the webhook endpoint at Stripe. */
  readonly stripeWebhookSecret?: string;
  /** Where the onboarding check signs up. Absent: the kit's server. */
  readonly onboardingApi?: Endpoint | ConfigError;
  /** Folders where programs are looked for, as PATH has them. */
  readonly searchPath: string;
  /** Events of the sample month. */
  readonly sampleEvents?: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings.
 *
 * @throws ConfigError naming the setting that cannot be used.
 * @example readConfig({ OFFLINE: 'true' }).offline // true
 */
export function readConfig(environment: Environment = processEnvironment()): Config {
  const clickhouse = endpointOf(environment, {
    settings: ['CLICKHOUSE_URL', 'CLICKHOUSE_HOST'],
    schemes: ['http', 'https'],
    port: 8123,
  });
  if (clickhouse && 'url' in clickhouse) {
    clickhouse.url.username ||= encodeURIComponent(environment.CLICKHOUSE_USER ?? '');
    clickhouse.url.password ||= encodeURIComponent(environment.CLICKHOUSE_PASSWORD ?? '');
  }
  const redis = endpointOf(environment, {
    settings: ['REDIS_URL', 'REDIS_HOST'],
    schemes: ['redis', 'rediss'],
    port: 6379,
  });
  const stripe = stripeAccessOf(environment);
  const onboardingApi = endpointOf(environment, {
    settings: ['ONBOARDING_API_URL'],
    schemes: ['http', 'https'],
    port: 80,
  });
  const sampleEvents = environment.MB_EVENTS ? numberOf('MB_EVENTS', environment.MB_EVENTS) : undefined;
  return {
    offline: switchOf('OFFLINE', environment.OFFLINE),
    clickhouseDatabase: databaseOf(environment.CLICKHOUSE_DB || 'analytics'),
    searchPath: environment.PATH ?? '',
    ...(clickhouse && { clickhouse }),
    ...(redis && { redis }),
    ...(stripe && { stripe }),
    ...(onboardingApi && { onboardingApi }),
    ...(environment.STRIPE_WEBHOOK_SECRET && { stripeWebhookSecret: environment.STRIPE_WEBHOOK_SECRET }),
    ...(sampleEvents !== undefined && { sampleEvents }),
  };
}

/**
 * The same settings for work that must not meet a running server, whose tenants and jobs it would change: a
 * ClickHouse database of its own and a private Redis.
 *
 * @example apart(readConfig({ CLICKHOUSE_DB: 'lesson' })).clickhouseDatabase // 'lesson_readiness'
 */
export function apart(config: Config): Config {
  const { redis: _, ...others } = config;
  return { ...others, clickhouseDatabase: `${config.clickhouseDatabase}_readiness` };
}

/**
 * The onboarding API of ONBOARDING_API_URL as a service; undefined where it is not set.
 *
 * @example onboardingService(readConfig({ ONBOARDING_API_URL: 'http://localhost:8787' }))?.mode // 'configured'
 */
export function onboardingService({
  onboardingApi,
  offline,
}: Config): Service<{ readonly url: string }> | undefined {
  if (!onboardingApi) return undefined;
  if (offline) return { mode: 'off', skip: OFFLINE };
  if (!('url' in onboardingApi)) return { mode: 'off', skip: onboardingApi.message };
  const { href: url, origin: address } = onboardingApi.url;
  return { mode: 'configured', client: { url }, address };
}

/** The settings by the course's names. */
export const Config = {
  /** Whether a key of a Stripe sandbox is there; without one the local Stripe answers. */
  isStripeConfigured: ({ stripe } = readConfig()): boolean => stripe !== undefined && 'key' in stripe,

  /** Prints what each service will be, without secrets. */
  printConfigStatus(config = readConfig()): void {
    const services = [
      ['ClickHouse', config.clickhouse, 'CLICKHOUSE_URL', 'the engine in this process'],
      ['Redis', config.redis, 'REDIS_URL', 'a private server'],
      ['Stripe', config.stripe, 'STRIPE_API_KEY', 'the local Stripe in this process'],
    ] as const;
    for (const [name, set, setting, embedded] of services) {
      const status = set instanceof ConfigError ? set.message : `from ${set?.setting}`;
      console.log(`${name.padEnd(12)}${set ? status : `${embedded} (${setting} is not set)`}`);
    }
    if (config.offline) console.log('OFFLINE=true: all of them are off');
  },
};

function processEnvironment(): Environment {
  if (existsSync('.env')) loadEnvFile('.env');
  return process.env;
}

/** The first of the settings that is there: a URL, or a host with or without a port. */
function endpointOf(
  environment: Environment,
  { settings, schemes, port }: { settings: string[]; schemes: string[]; port: number },
): Endpoint | ConfigError | undefined {
  const setting = settings.find((name) => environment[name]);
  const value = setting && environment[setting];
  if (!setting || !value) return undefined;
  const url = URL.parse(value.includes('://') ? value : `${schemes[0]}://${value}`);
  if (!url?.hostname || !schemes.includes(url.protocol.slice(0, -1))) {
    // The value is not repeated: it may hold a password.
    return new ConfigError(setting, `need ${schemes.map((scheme) => `${scheme}://host:port`).join(' or ')}`);
  }
  if (!/:\d+$/.test(value.replace(/\/.*$/, '')) && !value.includes('://')) url.port = String(port);
  return { setting, url };
}

/** A key that charges real cards is never used. */
function stripeAccessOf(environment: Environment): StripeAccess | ConfigError | undefined {
  const setting = ['STRIPE_API_KEY', 'STRIPE_SECRET_KEY'].find((name) => environment[name]);
  const key = setting && environment[setting];
  const endpoint = endpointOf(environment, {
    settings: ['STRIPE_URL'],
    schemes: ['http', 'https'],
    port: 443,
  });
  if (!setting || !key) {
    return endpoint && new ConfigError('STRIPE_URL', 'need STRIPE_API_KEY=sk_test_… beside it');
  }
  // The value is not repeated: it is a secret.
  if (/^[sr]k_live_/.test(key))
    return new ConfigError(setting, 'a live key charges real cards; need sk_test_…');
  if (!/^sk_test_\w+$/.test(key)) return new ConfigError(setting, 'need a key of a sandbox, sk_test_…');
  if (!endpoint) return { setting, key };
  return 'url' in endpoint ? { setting, key, url: endpoint.url } : endpoint;
}

function switchOf(setting: string, value = ''): boolean {
  if (/^(true|1|yes)$/i.test(value)) return true;
  if (/^(false|0|no)?$/i.test(value)) return false;
  throw new ConfigError(setting, `need true or false, current value is ${JSON.stringify(value)}`);
}

function numberOf(setting: string, value: string): number {
  if (/^\d{1,12}$/.test(value)) return Number(value);
  throw new ConfigError(setting, `need a whole number, current value is ${JSON.stringify(value)}`);
}

function databaseOf(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name;
  throw new ConfigError('CLICKHOUSE_DB', `need a plain name, current value is ${JSON.stringify(name)}`);
}
