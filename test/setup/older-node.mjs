// For `node --import`: the process looks like Node 18, which has no `parseEnv`.
import { register } from 'node:module';

Object.defineProperty(process, 'version', { value: 'v18.20.8' });
const util = "import util from 'node:util'; export const { parseArgs, inspect } = util; export default {};";
const hooks = `export const resolve = (name, context, next) =>
  name === 'node:util' && context.parentURL?.startsWith('file:')
    ? { url: 'data:text/javascript,' + ${JSON.stringify(encodeURIComponent(util))}, shortCircuit: true }
    : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
