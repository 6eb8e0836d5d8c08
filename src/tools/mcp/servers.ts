import { isDeepStrictEqual } from 'node:util';
import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import { isObject, type JsonObject, tryParseJson } from '../../core/json.ts';
import { hide } from '../../core/redactor.ts';
import { AppError, InvalidRequestError, NotFoundError } from '../../errors.ts';
import { deleteMcpServer, insertMcpServer, listMcpServers, updateMcpServer } from '../../storage/mcp-servers.ts';
import type { Schema } from '../../storage/schema.ts';
import { sealContext, withSecretKey } from '../../storage/sealed.ts';
import { open, seal } from '../../storage/secret-box.ts';
import type { Tool } from '../tool.ts';
import { type McpClocks, usualClocks } from './clocks.ts';
import { RemoteServer, type ServerState } from './remote-server.ts';
import { isStdio, MAX_MCP_SERVERS, type McpServerConfig, parseMcpServer, secretsOfMcpServer } from './server-config.ts';
import { serverFetch } from './server-fetch.ts';
import { patchServer } from './server-patch.ts';

/** What the servers stand on. */
export interface McpDeps {
  db: Kysely<Schema>;
  secretKey: Buffer;
  log: Logger;
  version: string;
  /** The operator's own, by name. */
  servers: Readonly<Record<string, McpServerConfig>>;
  /** May callers of the API have programs started on this machine? */
  stdioFromApi: boolean;
  /** May they name hosts with private addresses? */
  privateFromApi: boolean;
  /** The variables that every program gets, besides its own. */
  environment: Readonly<Record<string, string>>;
  /** Is called when stored servers were changed, so that other processes on the same database can be told. */
  changed(): void;
  clocks?: Partial<McpClocks>;
}

/** Where a server's settings are from: the operator's, or stored by the API. */
export type McpSource = 'configuration' | 'api';

/** One server as it is now. */
export interface McpServerView {
  name: string;
  source: McpSource;
  config: McpServerConfig;
  /** Undefined: it is switched off, or not allowed. */
  state: ServerState | undefined;
  /** Why it is not started. */
  refusal: string | undefined;
  tools: readonly Tool[];
  skipped: readonly { tool: string; reason: string }[];
}

interface Entry {
  source: McpSource;
  config: McpServerConfig;
  remote: RemoteServer | undefined;
  refusal: string | undefined;
}

/** The servers of tools of this node: those of the configuration, and those that the API has stored. */
export class McpServers {
  readonly #deps: McpDeps;
  readonly #clocks: McpClocks;
  readonly #entries = new Map<string, Entry>();
  #tools: readonly Tool[] | undefined;
  #lastChange: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(deps: McpDeps) {
    this.#deps = deps;
    this.#clocks = { ...usualClocks, ...deps.clocks };
  }

  /** Reads what is stored and begins to connect; waits for no server. @throws Error if it cannot be read. */
  async start(): Promise<void> {
    for (const [name, config] of Object.entries(this.#deps.servers)) this.#put(name, 'configuration', config);
    await this.refresh();
  }

  /** Ends all connections, and the programs with what they have started. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#lastChange.catch(() => undefined);
    await Promise.all([...this.#entries.values()].map(({ remote }) => remote?.stop()));
  }

  /** The tools of all servers, in the order of servers and names: the same array until one of them changes. */
  tools(): readonly Tool[] {
    this.#tools ??= this.#sorted().flatMap(([, { remote }]) => remote?.tools ?? []);
    return this.#tools;
  }

  /** Waits until each server has connected or failed once, for so many milliseconds at most. */
  async settled(ms: number): Promise<void> {
    const { promise: tooLate, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms).unref();
    await Promise.race([tooLate, Promise.all([...this.#entries.values()].map(({ remote }) => remote?.connect()))]);
    clearTimeout(timer);
  }

  /** All servers, by name. */
  list(): McpServerView[] {
    return this.#sorted().map(([name, entry]) => viewOf(name, entry));
  }

  /** @throws NotFoundError */
  get(name: string): McpServerView {
    return viewOf(name, this.#entry(name));
  }

  /** Asks a server now. Its state says how that went. @throws NotFoundError; AppError `conflict` if it is switched off. */
  async check(name: string): Promise<McpServerView> {
    const { remote, refusal } = this.#entry(name);
    if (!remote)
      throw new AppError('conflict', `The MCP server ${name} is not running: ${refusal ?? 'it is switched off'}`);
    await remote.check();
    return this.get(name);
  }

  /** Stores a new server. @throws InvalidRequestError; AppError `forbidden` and `conflict`. */
  create(owner: string, name: string, written: JsonObject): Promise<McpServerView> {
    return this.#inTurn(async () => {
      const config = this.#accept(written);
      const stored = await this.#readStored();
      const names = new Set([...stored.keys(), ...Object.keys(this.#deps.servers)]);
      if (names.has(name))
        throw new AppError('conflict', `There is an MCP server ${name} already; change it, or choose another name`);
      if (names.size >= MAX_MCP_SERVERS)
        throw new AppError('conflict', `There are ${MAX_MCP_SERVERS} MCP servers already; delete one first`);
      const isNew = await this.#store(name, config, (tx, sealed) => insertMcpServer(tx, { name, owner, sealed }));
      if (!isNew) throw new AppError('conflict', `There is an MCP server ${name} already`);
      return this.#changed(name, config);
    });
  }

  /** Changes a stored server: what is given is set, null clears. @throws as `create`, and NotFoundError. */
  update(owner: string, name: string, patch: JsonObject): Promise<McpServerView> {
    return this.#inTurn(async () => {
      this.#requireOfApi(name);
      const before = (await this.#readStored()).get(name);
      if (!before) throw new NotFoundError('MCP server', name);
      const config = this.#accept(patchServer(before, patch));
      const isThere = await this.#store(name, config, (tx, sealed) => updateMcpServer(tx, { name, owner, sealed }));
      if (!isThere) throw new NotFoundError('MCP server', name);
      return this.#changed(name, config);
    });
  }

  /** Forgets a stored server. @throws NotFoundError; AppError `conflict` if it is one of the configuration. */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#requireOfApi(name);
      const isGone = await deleteMcpServer(this.#deps.db, name);
      await this.#drop(name);
      if (!isGone) throw new NotFoundError('MCP server', name);
      this.#deps.changed();
    });
  }

  /** Takes over what is stored, which other processes on the same database may have changed. @throws Error */
  refresh(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isStopped) return;
      const stored = await this.#readStored();
      for (const [name, { source }] of [...this.#entries])
        if (source === 'api' && !stored.has(name)) await this.#drop(name);
      for (const [name, config] of stored) {
        const known = this.#entries.get(name);
        // The operator's own one is the one that counts.
        if (known?.source === 'configuration' || isDeepStrictEqual(known?.config, config)) continue;
        await this.#drop(name);
        this.#put(name, 'api', config);
      }
    });
  }

  async #changed(name: string, config: McpServerConfig): Promise<McpServerView> {
    await this.#drop(name);
    this.#put(name, 'api', config);
    this.#deps.changed();
    return this.get(name);
  }

  /** What the API may set. @throws InvalidRequestError; AppError `forbidden`. */
  #accept(written: JsonObject): McpServerConfig {
    const read = parseMcpServer(written);
    if ('problems' in read) throw new InvalidRequestError(read.problems);
    const refusal = this.#refusalOf(read.config);
    if (refusal !== undefined) throw new AppError('forbidden', refusal);
    return read.config;
  }

  #refusalOf(config: McpServerConfig): string | undefined {
    return isStdio(config) && !this.#deps.stdioFromApi
      ? 'Programs cannot be set over the API of this server: it would run them on its machine. Put the server into PROFCLAW_MCP_SERVERS, or have the operator set PROFCLAW_MCP_STDIO=allow'
      : undefined;
  }

  #put(name: string, source: McpSource, config: McpServerConfig): void {
    const refusal = source === 'api' ? this.#refusalOf(config) : undefined;
    const isOn = config.enabled !== false && refusal === undefined && !this.#isStopped;
    const remote = isOn ? this.#remote(name, source, config) : undefined;
    this.#entries.set(name, { source, config, remote, refusal });
    this.#hide();
    void remote?.connect();
  }

  #remote(name: string, source: McpSource, config: McpServerConfig): RemoteServer {
    const { environment, version, log, privateFromApi } = this.#deps;
    const isTrusted = source === 'configuration' || privateFromApi;
    return new RemoteServer({
      ...{ name, config, environment, version, log },
      clocks: this.#clocks,
      fetch: serverFetch(config, isTrusted),
      changed: () => this.#forgetTools(),
    });
  }

  async #drop(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    this.#forgetTools();
    await entry.remote?.stop();
  }

  /** The list of tools is made anew when somebody wants it. */
  #forgetTools(): void {
    this.#tools = undefined;
  }

  async #store(
    name: string,
    config: McpServerConfig,
    write: (tx: Kysely<Schema>, sealed: string) => Promise<boolean>,
  ): Promise<boolean> {
    const { db, secretKey } = this.#deps;
    const sealed = seal(JSON.stringify(config), secretKey, sealContext('mcp_servers', name));
    return await withSecretKey(db, secretKey, (tx) => write(tx, sealed));
  }

  async #readStored(): Promise<Map<string, McpServerConfig>> {
    const { db, secretKey, log } = this.#deps;
    const stored = new Map<string, McpServerConfig>();
    for (const { name, sealed } of await withSecretKey(db, secretKey, listMcpServers)) {
      const written = tryParseJson(open(sealed, secretKey, sealContext('mcp_servers', name)));
      const read = parseMcpServer(isObject(written) ? written : {});
      if ('config' in read) stored.set(name, read.config);
      // Stored by another version, under other rules.
      else log.error({ mcp: name, problems: read.problems }, 'a stored MCP server cannot be used');
    }
    return stored;
  }

  /** Has the secrets in force struck out of errors and logs from now on. */
  #hide(): void {
    hide(
      'mcp',
      [...this.#entries.values()].flatMap(({ config }) => secretsOfMcpServer(config)),
    );
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    const known = [...this.#entries.keys()].toSorted().join(', ');
    throw new NotFoundError('MCP server', name, known === '' ? 'there is none' : `there are ${known}`);
  }

  #requireOfApi(name: string): void {
    if (Object.hasOwn(this.#deps.servers, name))
      throw new AppError('conflict', `The MCP server ${name} is one of PROFCLAW_MCP_SERVERS: change it there`);
  }

  #sorted(): [string, Entry][] {
    return [...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** Changes wait for one another: each reads what the one before has written. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change, change);
    this.#lastChange = turn;
    return turn;
  }
}

function viewOf(name: string, { source, config, remote, refusal }: Entry): McpServerView {
  return {
    ...{ name, source, config, refusal },
    state: remote?.state,
    tools: remote?.tools ?? [],
    skipped: remote?.skipped ?? [],
  };
}
