import type { Config, ConfigError } from '../../config.ts';
import type { DoctorOptions } from '../doctor.ts';
import { type Finding, failed, none, ok, warning } from './finding.ts';

/** Settings that are right, and what is odd about them. */
export function examineSettings(config: Config, options: DoctorOptions): Finding[] {
  return [
    ok('settings', 'all are right'),
    ...config.warnings.map((text) => {
      const [name = '', ...rest] = text.split(': ');
      return warning(name, rest.join(': '), 'correct its name');
    }),
    ...proxies(options),
  ];
}

/** Every setting that is wrong. What else there is to look at depends on them. */
export function wrongSettings({ problems }: ConfigError, options: DoctorOptions): Finding[] {
  const wrong = problems.map((text) => {
    const [, name = 'settings', problem = text] = /^([A-Z][A-Z0-9_]*): (.*)$/s.exec(text) ?? [];
    return failed(name, problem, fixOf(name));
  });
  const rest = none('the rest', 'was not looked at: it depends on the settings', 'correct them, and look again');
  return [...wrong, rest, ...proxies(options)];
}

function fixOf(name: string): string {
  if (name.endsWith('_FILE')) return `let ${name} name a file that can be read and is not empty`;
  if (/(_KEY|_TOKEN)$/.test(name)) return `copy the value of ${name} again, without quotes, spaces or line ends`;
  if (/_URL$|^OLLAMA_HOST$/.test(name)) return `let ${name} be a whole address, with its scheme, host and port`;
  return `correct ${name}, or leave it out; docs/configuration.md says what it may be`;
}

function proxies({ httpProxy, httpsProxy, allProxy }: DoctorOptions): Finding[] {
  const named = { HTTP_PROXY: httpProxy, HTTPS_PROXY: httpsProxy, ALL_PROXY: allProxy };
  const set = Object.entries(named).flatMap(([name, value]) => (value ? [name] : []));
  if (set.length === 0) return [];
  const says = 'is set, but providers are called without a proxy';
  return [
    warning(set.join(', '), says, 'where only the proxy leads out, point each provider’s base URL at a gateway inside'),
  ];
}
