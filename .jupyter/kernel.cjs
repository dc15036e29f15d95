// The kernel's start: tslab's own parts, put together from the project's root, each known fault repaired
// by one file in kernel/. Jupyter calls it as kernels/tslab/kernel.json says. The repairs lean on the
// insides of tslab 1.0.22, so package.json pins that version exactly.
const path = require('node:path');
const { installed } = require('./kernel/installed.cjs');
const { watchParent } = require('./kernel/watch-parent.cjs');

// Imports of ./src, of the package by its own name and data paths are the same for every notebook.
process.chdir(path.dirname(__dirname));
if (!installed('tslab')) {
  console.error(
    'Cannot start the TypeScript kernel: its packages are missing. Run `npm start` in the project.',
  );
  process.exit(1);
}
let server;
const end = (code) => {
  server?.expectEnd();
  process.exit(code);
};
watchParent(() => end(1));
const { createCellExecutor } = require('./kernel/cell-executor.cjs');
const { KernelServer } = require('./kernel/kernel-server.cjs');

const executor = createCellExecutor(process.cwd());
process.on('SIGINT', () => executor.interrupt());
// A signal alone would skip the exit handlers by which the library removes its engines and folders.
process.on('SIGTERM', () => end(143));
const configPath = process.argv[process.argv.indexOf('--config-path') + 1];
server = new KernelServer(executor, configPath);
server.init().catch((error) => {
  console.error('Cannot start the TypeScript kernel:', error);
  process.exit(1);
});
