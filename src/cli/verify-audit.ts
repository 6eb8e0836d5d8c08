import { verifyAudit } from '../audit/verify.ts';
import type { Config } from '../config.ts';
import type { AuditHead } from '../storage/audit.ts';
import { withExistingDatabase } from './existing-database.ts';
import { wrongUse } from './exit-codes.ts';

/**
 * Checks the audit log of the configured database, beside a running server or without one, and says in one line what it
 * found.
 * @param head `<seq>:<hash>` as an earlier check printed it.
 * @returns whether the log is whole. @throws Error for a person if it cannot be read or `head` is malformed.
 */
export async function verifyAuditCommand(
  config: Config,
  write: (line: string) => void,
  head?: string,
): Promise<boolean> {
  const noted = head === undefined ? undefined : parseHead(head);
  return await withExistingDatabase(config, 'audit_log', async (db) => report(await verifyAudit(db, noted), write));
}

function report(verdict: Awaited<ReturnType<typeof verifyAudit>>, write: (line: string) => void): boolean {
  if ('reason' in verdict) {
    write(`row ${verdict.badSeq} is bad: ${verdict.reason}`);
    return false;
  }
  const { rows, head } = verdict;
  write(`${rows} ${rows === 1 ? 'row' : 'rows'}, whole; head ${head.seq}:${head.hash}`);
  return true;
}

function parseHead(text: string): AuditHead {
  if (!/^(0:|[1-9]\d{0,14}:[0-9a-f]{64})$/.test(text)) {
    throw wrongUse(
      `--head ${JSON.stringify(text)} is not a head as \`profclaw audit verify\` prints it, like 1204:ab12…`,
    );
  }
  const [seq, hash = ''] = text.split(':');
  return { seq: Number(seq), hash };
}
