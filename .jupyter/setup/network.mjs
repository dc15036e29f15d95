// A machine without a network: known early, and said in a sentence where npm says it in five lines.
import { lookup } from 'node:dns/promises';

/** As npm ends where its registry cannot be reached. */
const UNREACHABLE =
  /npm (?:error|ERR!) code (EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b/;

/** @returns {Promise<boolean>} whether names are known here: that of a registry that was set, or any */
export async function knowsNames() {
  const { hostname } = new URL(process.env.npm_config_registry ?? 'https://nodejs.org');
  return lookup(hostname).then(
    () => true,
    () => false,
  );
}

/**
 * @param {{ output?: string }} error of a step
 * @returns {string | undefined} the sentence to say, if it is of this kind
 */
export function networkComplaint({ output = '' }) {
  const [, code] = UNREACHABLE.exec(output) ?? [];
  if (!code) return undefined;
  return `Cannot install packages: npm's registry cannot be reached (${code}); run npm start again with a network, or behind a proxy after \`npm config set https-proxy URL\`.`;
}
