/** Starts wasm-runner.ts. Registers TypeScript here, not on the command line, so that PHP's worker threads skip it. */
import { register } from 'tsx/esm/api';

register();
await import('./wasm-runner.ts');
