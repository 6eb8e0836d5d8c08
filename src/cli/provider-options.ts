/** What `profclaw providers set` is told besides the type. */
export interface ProviderOptions {
  key?: boolean;
  keyStdin?: boolean;
  keyFile?: string;
  baseUrl?: string;
  model?: string;
  name?: string;
  wire?: string;
  resourceName?: string;
  deployment?: string;
  apiVersion?: string;
  clear?: (keyof typeof CLEARABLE)[];
  enable?: boolean;
  disable?: boolean;
  verify: boolean;
}

/** What can be forgotten by itself, and the settings that it stands for. */
export const CLEARABLE = {
  key: 'apiKey',
  'base-url': 'baseUrl',
  model: 'defaultModel',
  name: 'name',
  wire: 'wire',
  'resource-name': 'resourceName',
  deployment: 'deploymentName',
  'api-version': 'apiVersion',
} as const;
