import { useQueryClient } from '@tanstack/react-query';
import { Ellipsis, Keyboard, Upload } from 'lucide-react';
import { type ReactNode, useRef } from 'react';
import { useLocation } from 'wouter';
import { KEYS } from '../api/keys.ts';
import { Menu } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import { importConversation } from './import-conversation.ts';

/** What is seldom wanted: importing conversations, the list of keys. */
export function MoreMenu({ onShortcuts }: { onShortcuts: () => void }): ReactNode {
  const queries = useQueryClient();
  const [, go] = useLocation();
  const input = useRef<HTMLInputElement>(null);
  const take = async (files: readonly File[]): Promise<void> => {
    for (const file of files) {
      try {
        const { id } = await importConversation(file);
        go(`/chat/${id}`);
      } catch (error) {
        toast(`“${file.name}” was not imported: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    await queries.invalidateQueries({ queryKey: KEYS.conversations });
  };
  const items = [
    {
      label: 'Import a conversation…',
      icon: <Upload size={16} aria-hidden="true" />,
      run: () => input.current?.click(),
    },
    { label: 'Keyboard shortcuts', icon: <Keyboard size={16} aria-hidden="true" />, run: onShortcuts },
  ];
  return (
    <>
      <Menu label="More" items={items}>
        <Ellipsis size={18} aria-hidden="true" />
      </Menu>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        multiple
        hidden
        aria-label="Exported conversations"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          // The same file can be chosen again.
          event.target.value = '';
          void take(files);
        }}
      />
    </>
  );
}
