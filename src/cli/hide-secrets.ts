import type { Config } from '../config.ts';
import { hide, hideInLogs } from '../core/redactor.ts';
import { secretsOf } from '../providers/settings/endpoint.ts';
import { passwordsOf } from '../storage/postgres.ts';
import { secretsOfMcpServer } from '../tools/mcp/server-config.ts';

/** Has everything secret that the settings hold struck out of what the program says from now on; docs/secrets.md. */
export function hideSecrets(config: Config): void {
  const { providers, tools, secretKey, newSecretKey, access, client, databaseUrl, listenUrl } = config;
  const ofProviders = Object.values(providers).flatMap((settings = {}) => secretsOf(settings));
  const ofServers = Object.values(tools.mcp.servers).flatMap(secretsOfMcpServer);
  const ofTools = [...given(tools.webSearch?.key), ...ofServers];
  hide('environment', [...given(secretKey, newSecretKey, client.apiKey), ...ofProviders, ...ofTools]);
  hideInLogs('access key', given(access.accessKey));
  const urls = given(databaseUrl, listenUrl);
  hideInLogs(
    'database',
    urls.flatMap((url) => [url, ...passwordsOf(url)]),
  );
}

function given(...values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined);
}
