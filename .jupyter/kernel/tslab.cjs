// The inner modules of tslab that the kernel is put together from, named in one place.
// The compiler comes first: tslab copies the compiler's functions when its own modules load.
const { createRequire } = require('node:module');
const { typescript } = require('./compiler.cjs');

const fromTslab = createRequire(require.resolve('tslab/package.json'));
const { createConverter } = fromTslab('./dist/converter.js');
const { createExecutor } = fromTslab('./dist/executor.js');
const { JupyterHandlerImpl, ZmqServer } = fromTslab('./dist/jupyter.js');

module.exports = { createConverter, createExecutor, JupyterHandlerImpl, typescript, ZmqServer };
