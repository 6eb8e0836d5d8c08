import { type ReactNode, useState } from 'react';
import { Problem } from '../ui/problem.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { useDebounced } from '../ui/use-debounced.ts';
import { ConversationList } from './conversation-list.tsx';
import { useDeleted } from './deletions.ts';
import { SearchField } from './search-field.tsx';
import type { Activity } from './use-activity.ts';
import { useConversations } from './use-conversations.ts';

/** How long one must not have typed before it is searched, in milliseconds. */
const PAUSE_MS = 200;

/** All conversations, or those that one searches for. @param onSearch the search must be seen: its key was pressed. */
export function Conversations({ activity, onSearch }: { activity: Activity; onSearch: () => void }): ReactNode {
  const [text, setText] = useState('');
  const wanted = text.trim();
  const q = useDebounced(wanted, PAUSE_MS);
  const { conversations, total, hasNextPage, fetchNextPage, isFetchNextPageError, error, ...query } =
    useConversations(q);
  const deleted = useDeleted();
  const shown = conversations.filter(({ id }) => !deleted.has(id));
  const isSearching = wanted !== '' && (wanted !== q || query.isPlaceholderData);
  const more = hasNextPage && {
    fetch: () => void fetchNextPage(),
    error: isFetchNextPageError ? error : null,
  };
  return (
    <>
      <SearchField value={text} onChange={setText} onSearch={onSearch} />
      <p role="status" className="visually-hidden">
        {isSearching ? 'Searching' : q !== '' && total !== undefined ? `${total} found` : ''}
      </p>
      {error && !isFetchNextPageError && <Problem error={error} onRetry={() => void query.refetch()} />}
      {query.isPending && !error && <Spinner label="Loading…" />}
      {isSearching && <Spinner label="Searching…" />}
      {query.isSuccess && shown.length === 0 && !isSearching && (
        <p className="frame-none small muted">
          {q === '' ? 'Your conversations will be here.' : `Nothing found for “${q}”.`}
        </p>
      )}
      <ConversationList conversations={shown} activity={activity} more={more || undefined} />
    </>
  );
}
