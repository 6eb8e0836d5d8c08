import { z } from 'zod';
import { isNestedAtMost } from '../../core/nesting.ts';
import { PROFILES, type Profile } from '../profiles.ts';
import { QuirksSchema } from './quirks.ts';

const AZURE_RESOURCE = /^[a-z0-9][a-z0-9-]{0,62}$/i;
const ID = /^[\w-]{1,100}$/;

/** Headers that frame the message: the client sets them, and a wrong one breaks every call. */
const FRAMING =
  /^(host|content-length|content-type|content-encoding|accept-encoding|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer)$/i;
const HeaderName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of an HTTP header')
  .refine((name) => !FRAMING.test(name), 'is set by the server itself');
const HeaderValue = z
  .string()
  .max(8192)
  .regex(/^[\x20-\x7e\t]*$/, 'must be printable ASCII');
const MAX_HEADERS = 50;
/** So many providers of type custom:<name> are enough for anybody; each is asked for its models now and then. */
export const MAX_CUSTOM = 100;
/** Levels; more than any package's options have. What writes or walks JSON recurses. */
const MAX_NESTING = 20;

/** Where a provider is, in the environment and over the API alike: it is shown, so it must hold no secret. */
export const BaseUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .refine(
    (url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''),
    'must not hold a name or password',
  )
  .refine((url) => !/[?#]/.test(url), 'must not have a query or a hash');

/** Every wire that a row of the vendors speaks. */
const WIRES = [
  ...new Set(
    (Object.values(PROFILES) as Profile[]).flatMap(({ wire, otherWire }) =>
      otherWire ? [wire, otherWire.wire] : [wire],
    ),
  ),
];

/** npm's names, with or without a scope: no paths, no addresses, no versions. */
const PACKAGE = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;

/** What can be set for a provider; which of it a type takes is for `settingIssues` to say. */
export const SETTINGS_SHAPE = {
  apiKey: z.string().regex(/^[\x21-\x7e]{1,8192}$/, 'must be printable characters without spaces'),
  baseUrl: BaseUrl,
  defaultModel: z.string().min(1, 'must not be empty').max(300, 'must be at most 300 characters'),
  enabled: z.boolean(),
  headers: z
    .record(HeaderName, HeaderValue)
    .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, `must be at most ${MAX_HEADERS}`),
  resourceName: z.string().regex(AZURE_RESOURCE, 'must be the name of an Azure resource'),
  deploymentName: z.string().regex(/^\w[\w.-]{0,99}$/, 'must be letters, digits, _, - or .'),
  apiVersion: z.string().regex(/^[\w.-]{1,40}$/, 'must be like 2024-10-21'),
  organization: z.string().regex(ID, 'must be letters, digits, _ or -'),
  project: z.string().regex(ID, 'must be letters, digits, _ or -'),
  name: z.string().min(1).max(100).describe('For people'),
  wire: z.enum(WIRES).describe('The protocol; openai-chat if absent'),
  quirks: QuirksSchema.describe('Where it departs from its wire'),
  modelsPath: z
    .union([
      z.literal(false, 'must be false'),
      z.string('a path').regex(/^\/[\x21-\x7e]{0,500}$/, 'must be a path such as /models, or false'),
    ])
    .describe('The model list, below the base URL; false: there is none'),
  package: z
    .string()
    .max(214)
    .regex(PACKAGE, 'must be the name of an npm package')
    .describe('An AI SDK provider package'),
  factory: z
    .string()
    .regex(/^create\w{1,100}$/, 'must be the name of an export such as createAcme')
    .describe('The export to call, if the package has several named create…'),
  options: z
    .record(z.string(), z.unknown())
    .refine((options) => isNestedAtMost(options, MAX_NESTING), `must be nested at most ${MAX_NESTING} levels deep`)
    .describe('What the package’s create function is given'),
};

/** A custom provider in `PROFCLAW_PROVIDERS`. */
export const CustomSettings = z
  .strictObject(SETTINGS_SHAPE)
  .partial()
  .extend({
    apiKeyVariable: z
      .string()
      .regex(/^[A-Za-z_]\w{0,99}$/, 'must be the name of a variable')
      .optional(),
  });
