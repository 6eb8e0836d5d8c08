import { PROFILES, type Profile, type RemoteType, type VendorType, type WireName } from '../profiles.ts';
import { toQuirks } from './quirks.ts';
import type { ProviderSettings } from './settings.ts';

/** A provider that an AI SDK package calls; the other fields are as in {@link Profile}. */
export interface PackageProfile
  extends Pick<Profile, 'name' | 'baseUrl' | 'modelsPath' | 'defaultModel' | 'keyless' | 'taggedModels'> {
  /** Its name on npm. */
  package: string;
  factory: string | undefined;
}

/** The profile of any type: a vendor's row, or what a custom provider's settings say. */
export function profileOf(type: RemoteType, settings: ProviderSettings): Profile | PackageProfile {
  if (isVendorType(type)) return PROFILES[type];
  const name = settings.name ?? type;
  if (settings.package !== undefined) {
    const { package: packageName, factory } = settings;
    return { name, package: packageName, factory, baseUrl: undefined, modelsPath: undefined, defaultModel: undefined };
  }
  const wire = settings.wire ?? 'openai-chat';
  const { authentication, headers, modelsPath, taggedModels } = ownerOf(wire);
  return {
    name,
    wire,
    baseUrl: settings.baseUrl,
    authentication,
    // A server of one's own may want no key.
    keyVariables: [],
    modelsPath: settings.modelsPath === false ? undefined : (settings.modelsPath ?? modelsPath),
    defaultModel: undefined,
    ...(headers ? { headers } : {}),
    ...(taggedModels ? { taggedModels } : {}),
    quirks: toQuirks(settings.quirks ?? {}),
  };
}

/** The vendor whose authentication, headers and list a custom provider of a wire shares: the first that speaks it. */
function ownerOf(wire: WireName): Profile {
  const owner = Object.values(PROFILES).find((row) => row.wire === wire || row.otherWire?.wire === wire);
  return owner ?? PROFILES.openai;
}

/** Is this the name of one of the built-in vendors? */
export function isVendorType(type: string): type is VendorType {
  return Object.hasOwn(PROFILES, type);
}
