import { FileText, X } from 'lucide-react';
import type { Attachment } from './attachments.ts';
import './attachment-chips.css';

/** What goes with the message that is being written, to be taken away again. */
export function AttachmentChips({
  attachments,
  onRemove,
}: {
  attachments: readonly Attachment[];
  onRemove: (id: string) => void;
}): React.ReactNode {
  if (attachments.length === 0) return null;
  return (
    <ul className="chips" aria-label="Attached">
      {attachments.map(({ id, kind, name, size, url }) => (
        <li key={id} className="chip">
          {kind === 'image' && url.startsWith('data:') ? <img src={url} alt="" /> : <FileText size={18} aria-hidden />}
          <span className="chip-name">{name}</span>
          <span className="muted">{sizeWords(size)}</span>
          <button type="button" className="quiet icon" aria-label={`Remove ${name}`} onClick={() => onRemove(id)}>
            <X size={14} aria-hidden />
          </button>
        </li>
      ))}
    </ul>
  );
}

function sizeWords(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
