// tslab hard-codes its compiler options and reads no tsconfig.json. This puts a compiler in its place that
// is strict, understands package `exports` (the kit's own too), keeps source maps for readable stacks, and
// knows the variables of earlier cells everywhere.
const { createRequire } = require('node:module');
const { cellMaps } = require('./cell-maps.cjs');
const { withEarlierVariables } = require('./earlier-variables.cjs');

const fromTslab = createRequire(require.resolve('tslab/package.json'));
const compilerPath = fromTslab.resolve('@tslab/typescript-for-tslab');
const typescript = fromTslab(compilerPath);

function createWatchCompilerHost(files, tslabOptions, system, _createProgram, ...reporters) {
  const options = {
    ...tslabOptions,
    strict: true,
    moduleResolution: typescript.ModuleResolutionKind.Bundler,
    types: ['node'],
    sourceMap: true,
  };
  const createProgram = (...args) =>
    cellMaps.watchEmit(
      withEarlierVariables(typescript, typescript.createEmitAndSemanticDiagnosticsBuilderProgram(...args)),
    );
  return typescript.createWatchCompilerHost(files, options, system, createProgram, ...reporters);
}

// tslab's second step, from ES modules to the CommonJS that a cell runs as.
function transpileModule(source, { compilerOptions, ...rest }) {
  const result = typescript.transpileModule(source, {
    ...rest,
    compilerOptions: { ...compilerOptions, sourceMap: true },
  });
  cellMaps.transpiled(result.sourceMapText);
  return result;
}

// The compiler's exports are getters that cannot be redefined, so the whole object is replaced.
require.cache[compilerPath].exports = { ...typescript, createWatchCompilerHost, transpileModule };

module.exports = { typescript };
