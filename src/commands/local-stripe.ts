/** `npm run local-stripe`: the local Stripe on a port, its state in memory or in a file. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { closeAll } from '../close-all.js';
import { refuseRequest } from '../local-stripe/http/handle-request.js';
import { listen } from '../server/listen.js';
import { startLocalStripe } from '../services/stripe.js';
import { listenOptions, parseListenOptions } from './listen-options.js';
import { runCommand } from './run-command.js';

const HELP = `npm run local-stripe -- [--port N] [--host ADDRESS] [--file PATH]

Serves a local Stripe until Ctrl-C; its state lives as long as the process, or in a file.
What it supports stands in src/local-stripe/README.md.

  --port N        default 12111; 0 takes a free one
  --host ADDRESS  default 127.0.0.1
  --file PATH     keeps the state there, for the next time; made if it is missing
`;

await runCommand(HELP, async (args) => {
  const { values } = parseArgs({
    args,
    options: { ...listenOptions('12111'), file: { type: 'string' } },
  });
  const address = parseListenOptions(values);
  const { local, close } = await startLocalStripe(values.file === undefined ? {} : { file: values.file });
  const server = await listen(local, { ...address, refuse: refuseRequest });
  const { hostname, port: taken } = new URL(server.url);
  console.log(`Local Stripe on ${server.url}`);
  console.log(`  new Stripe('sk_test_local', { host: '${hostname}', port: ${taken}, protocol: 'http' })`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await closeAll(server.close, close);
  return 0;
});
