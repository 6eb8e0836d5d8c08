import { exitCodeOf } from './cli/exit-codes.ts';
import { hideSecrets } from './cli/hide-secrets.ts';
import { makeProgram } from './cli/program.ts';
import { loadConfig } from './config.ts';
import { readableText } from './core/readable-text.ts';
import { inLogs } from './core/redactor.ts';

// The only file that ends the process.
function fail(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`profclaw: ${readableText(inLogs.redact(text))}\n`);
  process.exit(exitCodeOf(error));
}

try {
  const program = makeProgram({
    config: () => {
      const config = loadConfig();
      hideSecrets(config);
      return config;
    },
    input: process.stdin,
    output: process.stdout,
    error: process.stderr,
    exitCode: (code) => {
      process.exitCode = code;
    },
    exit: (code) => process.exit(code),
    fail,
  });
  await program.parseAsync();
} catch (error) {
  fail(error);
}
