import { isIP } from 'node:net';
import { z } from 'zod';
import { BaseUrl } from './providers/settings/schema.ts';

/** Who may call, as far as it is set at start. */
export interface AccessConfig {
  /** Other machines can connect. */
  isReachable: boolean;
  accessKey: string | undefined;
  /** Host names (with port) under which the server may be called besides the loopback names and bare addresses. */
  publicHosts: string[];
  /** It is called over https, by a proxy before it. */
  isHttps: boolean;
  /** Origins of other sites whose pages may call. */
  corsOrigins: string[];
  /** Addresses and networks whose forwarding headers count. */
  trustedProxies: string[];
  /** Requests a minute of one account, and from one address; undefined: any number. */
  userLimit: number | undefined;
  addressLimit: number | undefined;
}

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;

/** A list with commas between. What is wrong is named by its place: it may hold a password. */
function listOf(isFine: (entry: string) => boolean, problem: string) {
  return z.string().transform((text, context) => {
    const list = text.split(',').flatMap((entry) => entry.trim() || []);
    for (const [index, entry] of list.entries())
      if (!isFine(entry)) context.addIssue(`${list.length > 1 ? `entry ${index + 1} ` : ''}${problem}`);
    return list;
  });
}

const perMinute = z.coerce
  .number('must be a number of requests a minute')
  .int('must be a whole number')
  .min(0, 'must be 0 (no limit) or more')
  .max(1_000_000)
  .default(0);

/** The settings on who may call. */
export const ACCESS_SETTINGS = {
  HOST: z.string().default('127.0.0.1'),
  PROFCLAW_ACCESS_KEY: z
    .string()
    .min(16, 'must have 16 characters or more; openssl rand -hex 16 makes one')
    .max(1000)
    .optional(),
  PROFCLAW_PUBLIC_URL: listOf(
    (url) => BaseUrl.safeParse(url).success,
    'must be an http or https URL like https://chat.example.com',
  ).default([]),
  PROFCLAW_CORS_ORIGINS: listOf(isOrigin, 'must be an origin like https://app.example.com, without a path').default([]),
  PROFCLAW_TRUSTED_PROXIES: listOf(isNetwork, 'must be an address or a network like 10.0.0.0/8').default([]),
  PROFCLAW_USER_LIMIT: perMinute,
  PROFCLAW_ADDRESS_LIMIT: perMinute,
};

type Values = z.infer<z.ZodObject<typeof ACCESS_SETTINGS>>;

/** The settings in the form that the server works with. */
export function toAccessConfig(values: Values): AccessConfig {
  const urls = values.PROFCLAW_PUBLIC_URL.map((url) => new URL(url));
  return {
    isReachable: !LOOPBACK.test(values.HOST),
    accessKey: values.PROFCLAW_ACCESS_KEY,
    publicHosts: urls.map(({ host }) => host),
    isHttps: urls.length > 0 && urls.every(({ protocol }) => protocol === 'https:'),
    corsOrigins: values.PROFCLAW_CORS_ORIGINS,
    trustedProxies: values.PROFCLAW_TRUSTED_PROXIES,
    userLimit: values.PROFCLAW_USER_LIMIT || undefined,
    addressLimit: values.PROFCLAW_ADDRESS_LIMIT || undefined,
  };
}

/** Of a site, or of an app or a browser's extension that has a scheme of its own. */
function isOrigin(text: string): boolean {
  if (/^(?!https?:|file:)[a-z][a-z\d+.-]*:\/\/[\w-]+(\.[\w-]+)*$/.test(text)) return true;
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return most >= 0 && (bits === undefined || Number(bits) <= most);
}
