/** Ends of names that say that it is only an example. */
const EXAMPLE = /\.(?:example|sample|template|tmpl|dist)$/;
/** Of copies: what is in them is the same. */
const COPY = /(?:~|\.(?:bak|backup|old|orig|save|swp|tmp|copy))$/;

/** Whole names of files. */
const NAMES = new Set(
  (
    '.env .envrc .dev.vars .npmrc .yarnrc .yarnrc.yml .pypirc pip.conf .netrc _netrc .git-credentials credentials ' +
    '.credentials .htpasswd .pgpass pgpass.conf .my.cnf .mylogin.cnf .s3cfg .boto .dockercfg .dockerconfigjson ' +
    'kubeconfig .vault-token .vault_pass .vault_password vault_pass.txt .terraformrc terraform.rc rclone.conf ' +
    '.databrickscfg .wgetrc .curlrc .msmtprc .fetchmailrc .mbsyncrc .offlineimaprc .ftpconfig .erlang.cookie .renviron ' +
    '.histfile .zhistory fish_history wp-config.php sitemanager.xml recentservers.xml settings-security.xml ' +
    'application_default_credentials.json .lesshst .viminfo .smbcredentials .cifscredentials'
  ).split(' '),
);

/** What a name ends with. */
const ENDS = new Set(
  (
    'pem key p12 pfx pkcs12 p8 pk8 jks keystore jceks bks kdbx kdb ppk keytab ovpn psafe3 agekey keychain keychain-db ' +
    'kubeconfig tfstate tfvars env'
  ).split(' '),
);

const NAME_PATTERNS = [
  /^\.env\./,
  // Keys of OpenSSH: by their usual names, those of a host, and those that are named after their kind.
  /^id_(?:rsa|dsa|ecdsa|ed25519|xmss)(?:_sk)?(?:[-_][\w-]+)?$/,
  /^ssh_host_\w+_key$/,
  /[-_.](?:rsa|dsa|ecdsa|ed25519)$/,
  /^\.\w+_history$/,
  /^\.?credentials\.(?:json|ya?ml|toml|xml|csv|ini|db|properties|env|enc|txt|tfrc\.json)(?:\.enc|\.gpg)?$/,
  /^secrets\./,
  /^\.?secret\.(?:json|ya?ml|toml|ini|txt|properties)$/,
  /^client[-_]secrets?.*\.json$/,
  /^service[-_]?account.*\.json$/,
  /firebase-adminsdk.*\.json$/,
  /\.tfstate\.|\.tfvars\.json$/,
  /^krb5cc_/,
  // What is being written, whatever its name will be.
  /^\.profclaw-[0-9a-f]{16}\.tmp$/,
];

/** Folders of which every file counts. */
const FOLDERS = new Set(
  '.ssh .aws .gnupg .azure .oci .password-store .mozilla .thunderbird .bluemix .1password'.split(' '),
);

/** By the last parts of the path. */
const PATHS =
  /(?:^|\/)(?:\.config\/(?:gcloud|op|configstore|google-chrome|chromium|bravesoftware|microsoft-edge|rclone)\/.*|\.config\/gh\/hosts\.yml|\.config\/hub|\.config\/doctl\/config\.yaml|(?:\.local\/share\/)?keyrings\/.*|library\/keychains\/.*|sops\/age\/.*|\.docker\/config\.json|\.kube\/config|\.m2\/settings\.xml|\.gradle\/gradle\.properties|\.snowsql\/config|\.dbt\/profiles\.yml|\.fly\/config\.yml|\.netlify\/config\.json|\.railway\/config\.json|\.aliyun\/config\.json|\.vscode\/sftp\.json|(?:\.?composer|\.codex|opencode)\/auth\.json|etc\/g?shadow-?|wireguard\/[^/]+\.conf|[^/]*\.git\/config|\.git\/(?:modules\/.+\/config|(?:.+\/)?config\.worktree))$/;

/** As it were at the root of the workspace, which may be somebody's home. */
const AT_ROOT = new Set(['auth.json']);

/**
 * May a file of this path hold a secret: a key, a password, a token, what somebody typed? Case does not count.
 * @param path in the workspace, after links.
 */
export function isSecretPath(path: string): boolean {
  const lower = path.toLowerCase();
  const parts = lower.split('/');
  const full = parts.pop() ?? '';
  if (parts.some((part) => FOLDERS.has(part))) return true;
  if (EXAMPLE.test(full) || /^(?:example|sample|template)\.env$/.test(full)) return false;
  const name = full.replace(COPY, '');
  return isSecretName(full) || isSecretName(name) || PATHS.test(lower) || (parts.length === 0 && AT_ROOT.has(name));
}

function isSecretName(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return (
    NAMES.has(name) ||
    (dot >= 0 && ENDS.has(name.slice(dot + 1))) ||
    NAME_PATTERNS.some((pattern) => pattern.test(name))
  );
}
