import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Confirm } from '../ui/confirm.tsx';
import { Problem } from '../ui/problem.tsx';
import { MCP_STATES, type McpServer } from './mcp-servers.ts';

/** A server of tools, and what can be done about it. */
export function McpRow({ server }: { server: McpServer }): React.ReactNode {
  const { name, source, enabled, status } = server;
  const path = `/api/chat/mcp/servers/${encodeURIComponent(name)}`;
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const refresh = (): Promise<unknown> =>
    Promise.all([
      queries.invalidateQueries({ queryKey: KEYS.mcpServers }),
      queries.invalidateQueries({ queryKey: KEYS.tools }),
    ]);
  const test = useMutation({ mutationFn: () => ask(`${path}/test`, { method: 'POST' }), onSettled: refresh });
  const change = useMutation({
    mutationFn: (body: { enabled: boolean }) => ask(path, { method: 'PATCH', body }),
    onSettled: refresh,
  });
  const remove = async (): Promise<void> => {
    await ask(path, { method: 'DELETE' });
    await refresh();
  };
  const { text, tone } = MCP_STATES[status.state];
  const isOwn = source === 'api';
  const mayTest = status.state !== 'disabled' && status.state !== 'refused';
  return (
    <li className="card stack">
      <div className="row">
        <span className="access-name grow">{name}</span>
        <span className={`badge ${tone}`}>
          {text}
          {status.state === 'connected' && status.latencyMs !== null && `, ${status.latencyMs} ms`}
        </span>
      </div>
      <div className="access-facts small muted">
        <Place server={server} />
        {!isOwn && <span>from the configuration</span>}
      </div>
      {status.message !== '' && status.state !== 'connected' && <div className="small bad">{status.message}</div>}
      <Offered server={server} />
      <div className="row">
        {mayTest && (
          <button
            type="button"
            aria-label={`${status.state === 'connected' ? 'Test' : 'Connect'} ${name}`}
            disabled={test.isPending}
            onClick={() => test.mutate()}
          >
            {status.state === 'connected' ? 'Test' : 'Connect again'}
          </button>
        )}
        {isOwn && (
          <>
            <button
              type="button"
              aria-label={`Switch ${name} ${enabled ? 'off' : 'on'}`}
              disabled={change.isPending}
              onClick={() => change.mutate({ enabled: !enabled })}
            >
              Switch {enabled ? 'off' : 'on'}
            </button>
            <button type="button" className="danger" aria-label={`Delete ${name}`} onClick={() => setAsking(true)}>
              Delete
            </button>
          </>
        )}
      </div>
      <Problem error={test.error ?? change.error} />
      {isAsking && (
        <Confirm title={`Delete “${name}”?`} action="Delete" onConfirm={remove} onClose={() => setAsking(false)}>
          Its tools are gone at once; calls of them that are under way fail.
        </Confirm>
      )}
    </li>
  );
}

function Place({ server: { type, command, args = 0, url, headers = [], env = [] } }: { server: McpServer }) {
  const names = type === 'http' ? headers : env;
  return (
    <>
      <span>
        <code>{type === 'http' ? url : command}</code>
        {args > 0 && ` with ${args} arguments`}
      </span>
      {names.length > 0 && (
        <span>
          {type === 'http' ? 'headers' : 'variables'}: {names.join(', ')}
        </span>
      )}
    </>
  );
}

function Offered({ server: { name, tools, skipped } }: { server: McpServer }): React.ReactNode {
  if (tools.length === 0 && skipped.length === 0) return null;
  return (
    <details className="small">
      <summary>
        {tools.length === 1 ? '1 tool' : `${tools.length} tools`}
        {skipped.length > 0 && `, ${skipped.length} not offered`}
      </summary>
      <ul aria-label={`Tools of ${name}`}>
        {tools.map((tool) => (
          <li key={tool}>
            <code>{tool}</code>
          </li>
        ))}
        {skipped.map(({ tool, reason }) => (
          <li key={tool} className="muted">
            <code>{tool}</code> is not offered: {reason}
          </li>
        ))}
      </ul>
    </details>
  );
}
