const CONFIG = /(?:^|\/)(?:[^/]*\.git\/config|\.git\/(?:(?:.+\/)?config\.worktree|modules\/.+\/config))$/;
const USER_INFO = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/\s@"]*@/gi;
/** `ssh://git@host`: a name alone, of which only http makes a secret. */
const BARE_NAME = /^(?:ssh|git\+ssh|ssh\+git):\/\/[^:@]*@$/i;
const SECRET_KEY = /^\s*[\w.-]*(?:extraheader|pass|token|secret|apikey|privatekey)[\w.-]*\s*(?:=|$)/i;
/** A helper that is a command line may hold anything. */
const HELPER = /^\s*(?:helper|askpass|proxy|cookiefile)\s*=/i;

/** Is it a configuration of git's, by its path in the workspace? */
export function isGitConfig(path: string): boolean {
  return CONFIG.test(path);
}

/** A configuration of git's without credentials; undefined if it has none, and so is harmless as it is. */
export function withoutCredentials(config: string): string | undefined {
  // A backslash at the end of a line goes on in the next one.
  const lines = config.replace(/\\\r?\n/g, '').split('\n');
  const kept = lines.filter((line) => !SECRET_KEY.test(line.replace(/^\s*\[[^\]]*\]/, '')));
  const clean = kept.map(withoutUserInfo);
  const isSame = kept.length === lines.length && clean.every((line, index) => line === lines[index]);
  return isSame ? undefined : clean.filter((line) => !HELPER.test(line)).join('\n');
}

function withoutUserInfo(line: string): string {
  return line.replace(USER_INFO, (whole: string, scheme: string) => (BARE_NAME.test(whole) ? whole : scheme));
}
