import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Problem } from '../ui/problem.tsx';
import './access.css';
import { McpForm } from './mcp-form.tsx';
import { McpRow } from './mcp-row.tsx';
import { MCP_SERVERS } from './mcp-servers.ts';

/** Servers of tools: how they are, what they offer, add, ask, delete. */
export function McpSection(): React.ReactNode {
  const list = useQuery(MCP_SERVERS);
  const [isAdding, setAdding] = useState(false);
  return (
    <section className="stack" aria-labelledby="mcp-title">
      <div className="row">
        <h2 id="mcp-title" className="grow access-heading">
          Tool servers
        </h2>
        <button type="button" className="primary" onClick={() => setAdding(true)}>
          <Plus size={16} aria-hidden="true" />
          Add a server
        </button>
      </div>
      <p className="muted access-text">
        Programs and services that offer tools over the Model Context Protocol (MCP). Everybody’s runs may use them,
        under the same modes, questions and rules as the built-in tools.
      </p>
      {list.isPending && <p className="muted">Loading …</p>}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data?.length === 0 && <p className="muted">There is none yet.</p>}
      <ul className="access-list stack" aria-label="Tool servers">
        {list.data?.map((server) => (
          <McpRow key={server.name} server={server} />
        ))}
      </ul>
      {isAdding && <McpForm onClose={() => setAdding(false)} />}
    </section>
  );
}
