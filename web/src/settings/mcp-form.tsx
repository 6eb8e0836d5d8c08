import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { KEYS } from '../api/keys.ts';
import { ask } from '../api/server.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Problem } from '../ui/problem.tsx';
import { toast } from '../ui/toast.tsx';
import { issuesOf } from './field-issues.ts';
import { mcpDraftOf } from './mcp-draft.ts';
import { McpFields } from './mcp-fields.tsx';

const PATHS = ['name', 'url', 'headers', 'command', 'args', 'env', 'timeout'];

/** Adds a server of tools. */
export function McpForm({ onClose }: { onClose: () => void }): React.ReactNode {
  const queries = useQueryClient();
  const [type, setType] = useState<'http' | 'stdio'>('http');
  const [own, setOwn] = useState<{ path: string; problem: string }>();
  const add = useMutation({
    mutationFn: (body: object) => ask('/api/chat/mcp/servers', { method: 'POST', body }),
    onSuccess: async () => {
      toast('The server is added, and is being connected.');
      onClose();
      await Promise.all([
        queries.invalidateQueries({ queryKey: KEYS.mcpServers }),
        queries.invalidateQueries({ queryKey: KEYS.tools }),
      ]);
    },
    gcTime: 0,
  });
  const issues = issuesOf(add.error, PATHS);
  return (
    <Dialog title="Add a server of tools" onClose={onClose}>
      <form
        className="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (add.isPending) return;
          const draft = mcpDraftOf(new FormData(event.currentTarget), type);
          add.reset();
          setOwn('problem' in draft ? draft : undefined);
          if ('body' in draft) add.mutate(draft.body);
        }}
      >
        <fieldset className="access-fieldset">
          <legend>How it is reached</legend>
          <label className="access-check">
            <input type="radio" name="type" checked={type === 'http'} onChange={() => setType('http')} />
            <span>
              At an address <span className="small muted">(streamable HTTP)</span>
            </span>
          </label>
          <label className="access-check">
            <input type="radio" name="type" checked={type === 'stdio'} onChange={() => setType('stdio')} />
            <span>
              As a program <span className="small muted">(on the server’s machine, outside of the sandbox)</span>
            </span>
          </label>
        </fieldset>
        <McpFields type={type} issueAt={(path) => (own?.path === path ? own.problem : issues.at(path))} />
        <Problem error={issues.rest} />
        <div className="row dialog-actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={add.isPending}>
            Add it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
