import { type ClipboardEvent, type DragEvent, useState } from 'react';
import { readFiles } from './attachments.ts';
import { changeDraft, draftFor } from './drafts.ts';

/** How files come to a draft: chosen, dropped or pasted. */
export interface Attach {
  add: (files: readonly File[]) => void;
  remove: (attachmentId: string) => void;
  /** Why something was not attached. */
  problems: readonly string[];
  isReading: boolean;
  onPaste: (event: ClipboardEvent) => void;
  onDragOver: (event: DragEvent) => void;
  onDrop: (event: DragEvent) => void;
}

/** @param id of the conversation; undefined: the next new one */
export function useAttach(id: string | undefined): Attach {
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [reading, setReading] = useState(0);
  const add = (files: readonly File[]): void => {
    setReading((count) => count + 1);
    const used = draftFor(id).attachments.reduce((sum, { size }) => sum + size, 0);
    readFiles(files, used)
      .then((read) => {
        setProblems(read.problems);
        const { attachments } = draftFor(id);
        if (read.attachments.length > 0) changeDraft(id, { attachments: [...attachments, ...read.attachments] });
      })
      .catch((problem: unknown) => setProblems([problem instanceof Error ? problem.message : String(problem)]))
      .finally(() => setReading((count) => count - 1));
  };
  const take = (event: ClipboardEvent | DragEvent, data: DataTransfer): void => {
    if (data.files.length === 0) return;
    event.preventDefault();
    add([...data.files]);
  };
  return {
    add,
    remove: (attachmentId) => {
      setProblems([]);
      changeDraft(id, { attachments: draftFor(id).attachments.filter((one) => one.id !== attachmentId) });
    },
    problems,
    isReading: reading > 0,
    onPaste: (event) => take(event, event.clipboardData),
    onDragOver: (event) => event.dataTransfer.types.includes('Files') && event.preventDefault(),
    onDrop: (event) => take(event, event.dataTransfer),
  };
}
