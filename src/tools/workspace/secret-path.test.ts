import { describe, expect, it } from 'vitest';
import { isSecretPath } from './secret-path.ts';

const SECRET = `
.env .ENV .env.local .env.production app/.env.test .envrc .env.bak .env~ .env.example.local prod.env deploy/docker.env
.dev.vars id_rsa keys/id_ed25519 id_ecdsa_sk id_rsa.bak id_rsa_work id_ed25519-github deploy_rsa ssh_host_rsa_key
etc/ssh/ssh_host_ed25519_key server.pem tls/privkey.PEM a.key a.p12 a.pfx a.jks a.keystore a.kdbx a.ppk AuthKey_1.p8
a.keytab client.ovpn config/master.key .npmrc .yarnrc.yml .pypirc pip.conf .netrc _netrc .git-credentials .git/config
sub/.git/config repo.git/config .git/modules/lib/config .git/config.worktree .ssh/config .ssh/id_rsa.pub
home/.ssh/known_hosts .aws/credentials .aws/sso/cache/x.json .AWS/Config .gnupg/secring.gpg .kube/config kubeconfig
prod.kubeconfig .docker/config.json .dockercfg .config/gcloud/access_tokens.db .config/gh/hosts.yml .azure/token.json
.oci/config credentials credentials.json .credentials.json .cargo/credentials.toml config/credentials.yml.enc
secrets.yml secrets.json secrets.env src/secrets.ts secret.json client_secret_1.apps.json client-secrets.json
service-account.json service_account_prod.json serviceaccount.json x-firebase-adminsdk-1.json
application_default_credentials.json terraform.tfstate terraform.tfstate.backup env.tfvars env.tfvars.json .terraformrc
credentials.tfrc.json .vault-token .vault_pass .bash_history .zsh_history .python_history .psql_history
.node_repl_history fish_history .htpasswd .pgpass .my.cnf .mylogin.cnf .s3cfg .boto rclone.conf .curlrc wp-config.php
.m2/settings.xml .gradle/gradle.properties .composer/auth.json auth.json .password-store/x.gpg .mozilla/x/logins.json
.config/google-chrome/Default/Cookies .local/share/keyrings/login.keyring etc/shadow etc/gshadow- etc/wireguard/wg0.conf
.vscode/sftp.json krb5cc_0 .smbcredentials .profclaw-0123456789abcdef.tmp`;

const ORDINARY = `
. src/keys.ts key.pub id_rsa.pub tokens.css .env.example .env.sample config/.env.template .env.dist example.env
sample.env src/env.ts environment.ts .environment env env.d.ts src/env/index.ts .gitignore .gitmodules .git/HEAD
.git/hooks/config.sample git/config src/config config.json docker/config.json package.json auth.ts
locales/en/auth.json src/secret-path.ts src/secrets/index.ts secretary.md password.ts credentials.ts
src/credentials.test.ts keyboard.key.ts pem.ts README.md ssh/client.ts aws/sdk.ts history.ts bash_history.md
gradle.properties settings.xml nginx.conf wireguard.ts shadow.css etc/passwd keystore.ts main.tf variables.tf monkey
.kube/cache/x.json .profclaw-notes.tmp known_hosts.md service-account.md docs/.env.md/x`;

const paths = (text: string) => text.trim().split(/\s+/);

describe('isSecretPath', () => {
  it.each(paths(SECRET))('%s may hold a secret', (path) => {
    expect(isSecretPath(path)).toBe(true);
    expect(isSecretPath(path.toUpperCase())).toBe(true);
    if (!path.includes('/') && path !== 'auth.json') expect(isSecretPath(`deep/er/${path}`)).toBe(true);
  });

  it.each(paths(ORDINARY))('%s is ordinary', (path) => {
    expect(isSecretPath(path)).toBe(false);
  });
});
