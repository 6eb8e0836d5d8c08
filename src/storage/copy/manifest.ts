import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { tryParseJson } from '../../core/json.ts';
import type { TableSums } from './copy-tables.ts';
import { type FileHash, hashFile } from './file-hash.ts';
import { TABLES } from './tables.ts';

/** The files of a backup. */
export const DATABASE_FILE = 'profclaw.db';
export const KEY_FILE = 'secret.key';
export const MANIFEST_FILE = 'manifest.json';

/** Grows when an older program could not restore a backup. */
const FORMAT = 1;

const Sum = z.object({ rows: z.int().min(0), checksum: z.string().regex(/^[0-9a-f]{32}$/) });
const Hash = z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const ManifestSchema = z.object({
  format: z.int(),
  /** The version that made it. */
  profclaw: z.string(),
  /** ISO-8601. */
  createdAt: z.string(),
  source: z.enum(['sqlite', 'postgres']),
  migrations: z.array(z.string()).min(1),
  tables: z.record(z.string(), Sum),
  files: z.record(z.string(), Hash).refine((files) => DATABASE_FILE in files),
});

/** What a backup is, beside its files. */
export type Manifest = z.output<typeof ManifestSchema>;

/** A manifest as it is stored. */
export function manifestText(manifest: Omit<Manifest, 'format' | 'tables'>, sums: TableSums): string {
  return `${JSON.stringify({ format: FORMAT, ...manifest, tables: Object.fromEntries(sums) }, null, 2)}\n`;
}

/**
 * Reads the manifest of a backup and compares its files with it.
 * @throws Error for a person if it is none, or not whole, or made by a newer program.
 */
export async function readBackup(folder: string): Promise<Manifest> {
  const manifest = readManifest(folder);
  for (const [name, hash] of Object.entries(manifest.files)) {
    if (name !== DATABASE_FILE && name !== KEY_FILE)
      throw new Error(`${MANIFEST_FILE} names a file ${name}, which is none of ours`);
    requireSame(join(folder, name), hash, await hashOf(join(folder, name)));
  }
  return manifest;
}

/** @throws Error for a person if a file is not the one that was backed up. */
export function requireSame(file: string, expected: FileHash, found: FileHash): void {
  if (found.bytes !== expected.bytes)
    throw new Error(
      `${file} is damaged: it has ${found.bytes} bytes in place of ${expected.bytes}. Take another backup`,
    );
  if (found.sha256 !== expected.sha256)
    throw new Error(
      `${file} is damaged: it is not what was backed up (its SHA-256 is another one). Take another backup`,
    );
}

/** What the tables of the backup must add up to. */
export function sumsOf({ tables }: Manifest): TableSums {
  return new Map(TABLES.flatMap((table) => (tables[table] ? [[table, tables[table]] as const] : [])));
}

function readManifest(folder: string): Manifest {
  const file = join(folder, MANIFEST_FILE);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    throw new Error(`${folder} is not a backup: there is no ${MANIFEST_FILE} in it that can be read`);
  }
  const parsed = ManifestSchema.safeParse(tryParseJson(text));
  if (!parsed.success) throw new Error(`${file} is damaged: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.format > FORMAT) {
    throw new Error(`the backup was made by a newer profclaw (${parsed.data.profclaw}): upgrade profclaw first`);
  }
  return parsed.data;
}

async function hashOf(file: string): Promise<FileHash> {
  try {
    return await hashFile(file);
  } catch (error) {
    throw new Error(
      `the backup is not whole: ${file} cannot be read (${error instanceof Error ? error.message : error})`,
    );
  }
}
